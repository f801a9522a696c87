using System.Runtime.InteropServices;

namespace EdgeSplit.Onnx.Runtime.Native;

/// <summary>The heap that ONNX Runtime allocates from.</summary>
internal static partial class NativeHeap
{
    private static bool _isUnknown = !OperatingSystem.IsLinux();

    /// <summary>
    /// Gives memory that was freed back to the system, which GNU's library else keeps wherever anything beside it is in use: after each build of a
    /// session about as much as the session takes. Costs a few milliseconds.
    /// </summary>
    public static void Trim()
    {
        if (_isUnknown)
            return;
        try
        {
            _ = Trim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library, which keeps less.
            _isUnknown = true;
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint bytesToKeep);
}
