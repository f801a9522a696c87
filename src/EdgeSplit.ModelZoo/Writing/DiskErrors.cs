namespace EdgeSplit.ModelZoo.Writing;

/// <summary>Tells a full disk from the other failures that .NET reports as <see cref="IOException"/>.</summary>
internal static class DiskErrors
{
    private const int PreallocationFailed = unchecked((int)0x80131620);
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);
    private const int LinuxFileTooLarge = 27;
    private const int UnixNoSpace = 28;
    private const int MacQuota = 69;
    private const int LinuxQuota = 122;

    /// <summary>Whether there is no room for the file. On Unix .NET puts the system's error number into <see cref="Exception.HResult"/>.</summary>
    public static bool IsFull(IOException exception) => exception.HResult
        is PreallocationFailed or WindowsDiskFull or WindowsHandleDiskFull or LinuxFileTooLarge or UnixNoSpace or MacQuota or LinuxQuota;
}
