namespace EdgeSplit.Coordination.Internal;

/// <summary>Tells whether an agent is short of memory: several reports in a row, so that a single odd one counts nothing.</summary>
internal sealed class MemoryPressure
{
    private const int Reports = 3;

    // Over again only with so many times the least: what lies close to it would change from report to report.
    private const int EnoughFactor = 2;
    private int _contrary;

    public bool IsShort { get; private set; }

    /// <param name="freeBytes">What a report says; null where the system does not tell.</param>
    /// <param name="leastFreeBytes">What shall be left; 0 for no matter.</param>
    public void Add(long? freeBytes, long leastFreeBytes)
    {
        bool isContrary = IsShort
            ? freeBytes is null || freeBytes >= EnoughFactor * leastFreeBytes
            : freeBytes < leastFreeBytes;
        _contrary = isContrary ? _contrary + 1 : 0;
        if (_contrary < Reports)
            return;
        IsShort = !IsShort;
        _contrary = 0;
    }
}
