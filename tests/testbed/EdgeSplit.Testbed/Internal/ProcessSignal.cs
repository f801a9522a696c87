using System.Runtime.InteropServices;

namespace EdgeSplit.Testbed.Internal;

/// <summary>Sends signals to processes, by the numbers that they have on Linux.</summary>
internal static partial class ProcessSignal
{
    public const int Kill = 9;
    public const int Continue = 18;
    public const int Stop = 19;

    /// <summary>Sends a signal; false where there is no such process.</summary>
    public static bool TrySend(int processId, int signal) => SendSignal(processId, signal) == 0;

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int processId, int signal);
}
