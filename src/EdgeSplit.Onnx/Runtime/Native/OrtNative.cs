using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.Onnx.Runtime.Native;

/// <summary>
/// The C API of ONNX Runtime. Sessions and values go through it because the C# binding refuses models with element types
/// it does not list (8-bit floats, 4-bit integers), cannot tell a scalar from an unknown rank, and hides the error code in
/// a string. Options, providers and the environment stay the binding's, which also gives the layout of the table.
/// </summary>
internal static unsafe class OrtNative
{
    private static readonly Lazy<nint> ApiTable = new(FindTable, LazyThreadSafetyMode.PublicationOnly);

    /// <summary>The table of functions.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.UnsupportedModel"/>: there is no native library.</exception>
    public static ref readonly OrtApi Api => ref Unsafe.AsRef<OrtApi>((void*)ApiTable.Value);

    /// <summary>The environment that all sessions share.</summary>
    public static nint Environment
    {
        get
        {
            _ = ApiTable.Value;
            return OrtEnv.Instance().DangerousGetHandle();
        }
    }

    /// <summary>The version of the native library, such as <c>1.31.1</c>.</summary>
    public static string Version
    {
        get
        {
            _ = ApiTable.Value;
            return OrtEnv.Instance().GetVersionString();
        }
    }

    /// <summary>Throws what a call's status says, and releases it; null is success.</summary>
    /// <exception cref="OrtFailure">The status is a failure.</exception>
    public static void Check(nint status)
    {
        if (status == 0)
            return;
        var code = (OrtErrorCode)((delegate* unmanaged<nint, int>)Api.GetErrorCode)(status);
        string message = Utf8(((delegate* unmanaged<nint, byte*>)Api.GetErrorMessage)(status));
        ((delegate* unmanaged<nint, void>)Api.ReleaseStatus)(status);
        throw new OrtFailure(code, message);
    }

    /// <summary>Reads a zero-terminated string.</summary>
    public static string Utf8(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    /// <summary>Releases a value; null is allowed.</summary>
    public static void ReleaseValue(nint value) => ((delegate* unmanaged<nint, void>)Api.ReleaseValue)(value);

    /// <summary>Whether an exception says that the native library is not there or cannot be loaded.</summary>
    public static bool IsMissingLibrary(Exception exception) =>
        exception is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException or TypeInitializationException;

    private static nint FindTable()
    {
        try
        {
            // The binding's own start-up finds the library on every platform that it supports, so it goes first.
            string version = OrtEnv.Instance().GetVersionString();
            OrtTelemetry.DisableOnWindows();
            // Version 1.N of ONNX Runtime has the API version N and all before it.
            uint apiVersion = uint.Parse(version.Split('.')[1], System.Globalization.CultureInfo.InvariantCulture);
            OrtApiBase* apiBase = OrtGetApiBase();
            return ((delegate* unmanaged<uint, nint>)apiBase->GetApi)(apiVersion);
        }
        catch (Exception exception) when (IsMissingLibrary(exception))
        {
            throw new EdgeSplitException(
                EdgeSplitError.UnsupportedModel,
                "ONNX models cannot be run or analysed here: the native ONNX Runtime library was not found. Reference the package "
                + "Microsoft.ML.OnnxRuntime (CPU) or Microsoft.ML.OnnxRuntime.Gpu in the application, not both.",
                exception);
        }
    }

    [DllImport("onnxruntime")]
    private static extern OrtApiBase* OrtGetApiBase();
}
