using System.Text;
using EdgeSplit.Onnx.Runtime.Profiling;

namespace EdgeSplit.Onnx.Tests.Runtime.Profiling;

public sealed class KernelTimesTests
{
    [Test]
    public void Read_outliers_and_warm_up_do_not_count()
    {
        // Two runs to warm up, then eight of which the middle four are 10, 10, 11 and 11 µs.
        int[] microseconds = [900, 900, 9, 9, 10, 10, 11, 11, 12, 5000];

        Dictionary<string, double> times = KernelTimes.Read(Trace(microseconds.Select(static time => Event("a", time))), new HashSet<string> { "a" }, skippedRuns: 2);

        Assert.That(times["a"], Is.EqualTo(10.5e-6).Within(1e-12));
    }

    [Test]
    public void Read_counts_operators_of_the_main_graph_only()
    {
        byte[] trace = Trace([
            """{"cat" : "Session","dur" :77,"name" :"model_run","args" : {}}""",
            """{"cat" : "Node","dur" :5,"name" :"a_fence_before","args" : {"op_name" : "Relu"}}""",
            Event("inside_a_body", 50),
            Event("a", 7),
        ]);

        Dictionary<string, double> times = KernelTimes.Read(trace, new HashSet<string> { "a" }, skippedRuns: 0);

        Assert.That(times.Keys, Is.EqualTo(new[] { "a" }));
        Assert.That(times["a"], Is.EqualTo(7e-6).Within(1e-12));
    }

    private static string Event(string node, int microseconds) =>
        $$$"""{"cat" : "Node","pid" :1,"dur" :{{{microseconds}}},"ts" :3,"ph" : "X","name" :"{{{node}}}_kernel_time","args" : {"name" : "not this","dur" : "1","input_type_shape" : [{"float":[1,2]}]}}""";

    private static byte[] Trace(IEnumerable<string> events) => Encoding.UTF8.GetBytes("[\n" + string.Join(",\n", events) + "\n]");
}
