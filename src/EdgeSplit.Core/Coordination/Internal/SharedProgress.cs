namespace EdgeSplit.Coordination.Internal;

/// <summary>Adds up the progress of parts that run side by side.</summary>
internal sealed class SharedProgress(IProgress<double>? whole, int count)
{
    private readonly double[] _shares = new double[count];

    public IProgress<double> Part(int index) => new PartProgress(this, index);

    private void Report(int index, double share)
    {
        if (whole is null)
            return;
        lock (_shares)
        {
            _shares[index] = share;
            whole.Report(_shares.Average());
        }
    }

    private sealed class PartProgress(SharedProgress owner, int index) : IProgress<double>
    {
        public void Report(double value) => owner.Report(index, value);
    }
}
