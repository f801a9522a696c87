using System.Runtime.InteropServices;

namespace EdgeSplit.Tool;

/// <summary>The heap of native code.</summary>
internal static partial class NativeHeap
{
    // The numbers that mallopt(3) has for them.
    private const int MappingThreshold = -3;
    private const int ArenaLimit = -8;
    private const int ThresholdBytes = 256 << 10;
    private const int Arenas = 2;

    /// <summary>Lets the process give back what it has freed: an agent builds and drops sessions all the time.</summary>
    /// <remarks>
    /// GNU's library gives threads arenas of their own, up to eight for each processor, and keeps what was freed in each; and once
    /// something large was freed it takes the next of that size from them too.
    /// </remarks>
    public static void GiveBack()
    {
        try
        {
            if (!OperatingSystem.IsLinux())
                return;
            _ = SetOption(ArenaLimit, Arenas);
            _ = SetOption(MappingThreshold, ThresholdBytes);
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library, which has no such arenas.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);
}
