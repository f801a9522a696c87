// Classifies a picture with ResNet-50 split over two agents: decode, resize, crop, normalise, run, softmax, top five.
//   ImageClassification [PICTURE] [MODEL.onnx [LABELS.txt]]
// Without a model it takes the zoo's ResNet-50, whose weights are random: its classes mean nothing, all else is as in earnest.
using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Onnx.Verification;
using EdgeSplit.Partitioning;
using EdgeSplit.Tensors;
using ImageClassification;

const int Size = 224;

DirectoryInfo folder = Directory.CreateTempSubdirectory("edgesplit-image-");
try
{
    string picture = args.ElementAtOrDefault(0) ?? Path.Combine(AppContext.BaseDirectory, "ball.png");
    string model = args.ElementAtOrDefault(1) ?? Path.Combine(folder.FullName, "resnet50.onnx");
    string[]? labels = args.ElementAtOrDefault(2) is { } file ? File.ReadAllLines(file) : null;
    if (args.Length < 2)
        Zoo.Get("resnet50").Write(model);

    var runtime = new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1 });
    await using var coordinator = new Coordinator(new OnnxModelFormat());
    await coordinator.AddAgentAsync(new EdgeAgent("camera", runtime));
    await coordinator.AddAgentAsync(new EdgeAgent("gateway", runtime));
    await using Deployment deployment = await coordinator.DeployAsync(model, new DeploymentOptions { Partitioner = new LayerwisePartitioner() });

    Picture original = Picture.Load(picture);
    // As torchvision's models are evaluated: the shorter side to 256, the middle 224 x 224, the mean and deviation of ImageNet.
    Picture cropped = original.ResizeShorterSide(256).CropMiddle(Size, Size);
    using Tensor input = Tensor.Create<float>(cropped.ToPlanes(mean: [0.485f, 0.456f, 0.406f], deviation: [0.229f, 0.224f, 0.225f]), new TensorShape(1, 3, Size, Size));
    var inputs = new Dictionary<string, Tensor> { [deployment.Inputs[0].Name] = input };
    using FinalResult result = await deployment.InferAsync(inputs);
    string output = deployment.Outputs[0].Name;
    Console.WriteLine($"{Path.GetFileName(picture)}: {original.Width} x {original.Height}, {result.Stages.Length} stages, {result.Latency.TotalMilliseconds:0.0} ms");
    foreach ((int index, double share) in Softmax.Top(result.Outputs[output].AsSpan<float>(), 5))
        Console.WriteLine($"  {share:0.00 %}  {labels?.ElementAtOrDefault(index) ?? $"class {index}"}");

    using IPartitionExecutor unsplit = await runtime.LoadModelAsync(model);
    IReadOnlyDictionary<string, Tensor> expected = unsplit.Execute(inputs, CancellationToken.None);
    double difference = SplitComparison.Of(expected, result.Outputs).LargestRelative;
    foreach (Tensor tensor in expected.Values)
        tensor.Dispose();
    Console.WriteLine($"largest relative difference from the unsplit model: {difference:g3}");
    return difference <= 1e-4 ? 0 : 1;
}
finally
{
    folder.Delete(recursive: true);
}
