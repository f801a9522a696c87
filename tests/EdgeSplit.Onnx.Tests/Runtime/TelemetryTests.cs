using System.Runtime.InteropServices;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Onnx.Runtime.Native;

namespace EdgeSplit.Onnx.Tests.Runtime;

public sealed partial class TelemetryTests
{
    [Test]
    [Platform(Exclude = "Win")]
    public void OnnxRuntime_isToldToSendNothing()
    {
        if (Environment.GetEnvironmentVariable(OrtTelemetry.Switch) is not null)
            Assert.Ignore($"{OrtTelemetry.Switch} is set for this process already.");
        Assert.That(new OnnxPartitionRuntime().Name, Does.StartWith("onnxruntime"));
        Assert.That(Marshal.PtrToStringUTF8(ReadVariable(OrtTelemetry.Switch)), Is.EqualTo("1"));
    }

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint ReadVariable(string name);
}
