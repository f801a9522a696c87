using System.Text.Json;
using EdgeSplit.Tensors;

namespace EdgeSplit.Grpc.OpenInference;

/// <summary>An inference request in JSON, with the bytes of tensors behind it where it says so.</summary>
internal sealed class RestRequest : IDisposable
{
    private readonly HashSet<string> _binaryOutputs = [];
    private readonly HashSet<string> _jsonOutputs = [];
    private bool _isBinary;

    public string? Id { get; private set; }

    public Dictionary<string, Tensor> Inputs { get; } = [];

    /// <summary>The outputs that are wanted; none for all.</summary>
    public List<string> Outputs { get; } = [];

    /// <summary>Whether an output shall follow the JSON as bytes.</summary>
    public bool WantsBinary(string output) => _binaryOutputs.Contains(output) || (_isBinary && !_jsonOutputs.Contains(output));

    /// <summary>Reads a request.</summary>
    /// <param name="body">The request's body.</param>
    /// <param name="jsonLength">The length of the JSON at its start; the rest is binary data.</param>
    /// <param name="pool">Gives the memory of tensors.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidInput"/>.</exception>
    public static RestRequest Read(ReadOnlyMemory<byte> body, int jsonLength, TensorBufferPool pool)
    {
        var request = new RestRequest();
        try
        {
            using JsonDocument json = JsonDocument.Parse(body[..jsonLength]);
            request.ReadAll(json.RootElement, body[jsonLength..], pool);
            return request;
        }
        catch (Exception exception)
        {
            request.Dispose();
            if (exception is JsonException or InvalidOperationException or FormatException)
                throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"The request is no inference request in JSON: {exception.Message}", exception);
            throw;
        }
    }

    public void Dispose()
    {
        Inputs.DisposeTensors();
    }

    private void ReadAll(JsonElement root, ReadOnlyMemory<byte> binary, TensorBufferPool pool)
    {
        Id = Optional(root, "id")?.GetString();
        _isBinary = Flag(root, "binary_data_output") ?? false;
        int offset = 0;
        foreach (JsonElement input in Required(root, "inputs", "the request").EnumerateArray())
            ReadInput(input, binary, ref offset, pool);
        if (offset != binary.Length)
            throw Invalid($"there are {binary.Length} bytes of binary data, but the inputs' binary_data_size add up to {offset}");
        if (Optional(root, "outputs") is not { } outputs)
            return;
        foreach (JsonElement output in outputs.EnumerateArray())
        {
            string name = Required(output, "name", "an output").GetString() ?? throw Invalid("an output's name is null");
            if (Parameter(output, "classification") is not null || Parameter(output, "shared_memory_region") is not null)
                throw Invalid($"output '{name}' asks for a classification or for shared memory, which this server does not offer");
            Outputs.Add(name);
            if (Flag(output, "binary_data") is { } isBinary)
                (isBinary ? _binaryOutputs : _jsonOutputs).Add(name);
        }
    }

    private void ReadInput(JsonElement input, ReadOnlyMemory<byte> binary, ref int offset, TensorBufferPool pool)
    {
        string name = Required(input, "name", "an input").GetString() ?? throw Invalid("an input's name is null");
        if (Inputs.ContainsKey(name))
            throw Invalid($"input '{name}' is there twice");
        if (Parameter(input, "shared_memory_region") is not null)
            throw Invalid($"input '{name}' is in shared memory, which this server does not use; send its data");
        TensorElementType type = Datatypes.Parse(Required(input, "datatype", $"input '{name}'").GetString() ?? "", name);
        TensorShape shape = RawContents.ShapeOf(name, Required(input, "shape", $"input '{name}'").EnumerateArray().Select(static dimension => dimension.GetInt64()));
        if (Parameter(input, "binary_data_size") is not { } size)
        {
            Inputs.Add(name, Optional(input, "data") is { } data
                ? JsonTensors.Read(name, type, shape, data, pool)
                : throw Invalid($"input '{name}' has neither data nor the parameter binary_data_size"));
            return;
        }
        if (!size.TryGetInt32(out int byteCount) || byteCount < 0 || byteCount > binary.Length - offset)
            throw Invalid($"input '{name}' has a binary_data_size of {size}, and {binary.Length - offset} bytes are left");
        // The bytes stand anywhere in the body, and elements want to be aligned.
        Inputs.Add(name, RawContents.Copy(name, type, shape, binary.Span.Slice(offset, byteCount), pool));
        offset += byteCount;
    }

    private static JsonElement Required(JsonElement owner, string name, string whose) =>
        owner.TryGetProperty(name, out JsonElement value) ? value : throw Invalid($"{whose} has no '{name}'");

    private static bool? Flag(JsonElement owner, string name) => Parameter(owner, name)?.GetBoolean();

    private static JsonElement? Parameter(JsonElement owner, string name) =>
        Optional(owner, "parameters") is { } parameters ? Optional(parameters, name) : null;

    // Many clients write null for what they leave out.
    private static JsonElement? Optional(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static EdgeSplitException Invalid(string what) => new(EdgeSplitError.InvalidInput, $"The request cannot be used: {what}.");
}
