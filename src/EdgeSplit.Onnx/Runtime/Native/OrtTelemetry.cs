using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.Onnx.Runtime.Native;

/// <summary>
/// Keeps ONNX Runtime from sending what it runs to its vendor, which its official builds do unless told otherwise: on Windows always,
/// elsewhere since 1.29 (names and hashes of models, and how often they run). Who sets <c>ORT_DISABLE_TELEMETRY</c> decides otherwise.
/// </summary>
internal static partial class OrtTelemetry
{
    public const string Switch = "ORT_DISABLE_TELEMETRY";

    /// <summary>Turns it off where an environment variable does; the native library reads that once, when it is first used.</summary>
#pragma warning disable CA2255 // Every way into the native library begins in this assembly, and the first must find the variable set.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Disable()
    {
        if (OperatingSystem.IsWindows() || Environment.GetEnvironmentVariable(Switch) is not null)
            return;
        try
        {
            // .NET's own changes are to a copy that native code does not see.
            SetVariable(Switch, "1", overwrite: 0);
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
            // A system without such a library has no telemetry of ONNX Runtime's either.
        }
    }

    /// <summary>Turns it off on Windows, where the environment's own call does.</summary>
    public static void DisableOnWindows()
    {
        if (OperatingSystem.IsWindows() && Environment.GetEnvironmentVariable(Switch) is null)
            OrtEnv.Instance().DisableTelemetryEvents();
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
