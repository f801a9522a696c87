using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using EdgeSplit.Grpc.Messages;
using EdgeSplit.Tensors;
using Microsoft.AspNetCore.Http;

namespace EdgeSplit.Grpc.OpenInference;

/// <summary>Bodies of inference requests and responses: JSON, and binary data behind it where a header tells the JSON's length.</summary>
internal static class RestBody
{
    private const string JsonLengthHeader = "Inference-Header-Content-Length";

    /// <summary>Reads a request to its end.</summary>
    /// <param name="request">The request.</param>
    /// <param name="options">The limits.</param>
    /// <param name="reservation">Takes the body's bytes before they are read, and holds them as long as the caller keeps the tensors.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidInput"/> or <see cref="EdgeSplitError.Overloaded"/>.</exception>
    public static async Task<RestRequest> ReadAsync(HttpRequest request, GrpcServiceOptions options, BufferReservation reservation, CancellationToken cancellationToken)
    {
        if (request.ContentLength is { } length && request.Headers.ContentEncoding.Count == 0)
        {
            if (length > options.MaxTensorBytes)
                throw TooLarge(options);
            reservation.Reserve(length);
            using IMemoryOwner<byte> owner = options.Pool.Rent((int)length);
            await request.Body.ReadExactlyAsync(owner.Memory, cancellationToken).ConfigureAwait(false);
            return RestRequest.Read(owner.Memory, JsonLength(request, (int)length), options.Pool);
        }
        Stream content = Decompressed(request);
        await using (content.ConfigureAwait(false))
            return await ReadToEndAsync(request, content, options, reservation, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads a request of which nobody says how long it is.</summary>
    private static async Task<RestRequest> ReadToEndAsync(HttpRequest request, Stream content, GrpcServiceOptions options, BufferReservation reservation, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        byte[] piece = new byte[TensorSender.PartBytes];
        try
        {
            int read;
            while ((read = await content.ReadAsync(piece, cancellationToken).ConfigureAwait(false)) > 0)
            {
                if (body.Length + read > options.MaxTensorBytes)
                    throw TooLarge(options);
                reservation.Reserve(read);
                body.Write(piece, 0, read);
            }
            return RestRequest.Read(body.GetBuffer().AsMemory(0, (int)body.Length), JsonLength(request, (int)body.Length), options.Pool);
        }
        catch (InvalidDataException exception)
        {
            throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"The request is not compressed as its header says: {exception.Message}", exception);
        }
    }

    /// <summary>What a client has compressed, as Triton's clients may.</summary>
    private static Stream Decompressed(HttpRequest request) => request.Headers.ContentEncoding.ToString() switch
    {
        "" or "identity" => request.Body,
        "gzip" => new GZipStream(request.Body, CompressionMode.Decompress, leaveOpen: true),
        "deflate" => new ZLibStream(request.Body, CompressionMode.Decompress, leaveOpen: true),
        var other => throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"The request's content encoding '{other}' is unknown; send gzip, deflate, or none."),
    };

    /// <summary>Writes a response.</summary>
    public static async Task WriteAsync(
        HttpResponse response, ServedModel model, RestRequest request, KeyValuePair<string, Tensor>[] outputs, TensorBufferPool pool, CancellationToken cancellationToken)
    {
        var json = new ArrayBufferWriter<byte>();
        var bodies = new List<ReadOnlyMemory<byte>>();
        var owners = new List<IMemoryOwner<byte>>();
        try
        {
            using (var writer = new Utf8JsonWriter(json))
                WriteJson(writer, model, request, outputs, bodies, owners, pool);
            response.ContentType = bodies.Count > 0 ? "application/octet-stream" : "application/json";
            if (bodies.Count > 0)
                response.Headers[JsonLengthHeader] = json.WrittenCount.ToString(CultureInfo.InvariantCulture);
            response.ContentLength = json.WrittenCount + bodies.Sum(static body => (long)body.Length);
            await response.Body.WriteAsync(json.WrittenMemory, cancellationToken).ConfigureAwait(false);
            foreach (ReadOnlyMemory<byte> body in bodies)
                await response.Body.WriteAsync(body, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            foreach (IMemoryOwner<byte> owner in owners)
                owner.Dispose();
        }
    }

    private static void WriteJson(
        Utf8JsonWriter writer,
        ServedModel model,
        RestRequest request,
        KeyValuePair<string, Tensor>[] outputs,
        List<ReadOnlyMemory<byte>> bodies,
        List<IMemoryOwner<byte>> owners,
        TensorBufferPool pool)
    {
        writer.WriteStartObject();
        if (request.Id is { } id)
            writer.WriteString("id", id);
        writer.WriteString("model_name", model.Name);
        writer.WriteString("model_version", model.VersionText);
        writer.WriteStartArray("outputs");
        foreach ((string name, Tensor tensor) in outputs)
        {
            writer.WriteStartObject();
            writer.WriteString("name", name);
            writer.WriteString("datatype", Datatypes.NameOf(tensor.ElementType));
            writer.WriteStartArray("shape");
            foreach (long dimension in tensor.Shape.Dimensions)
                writer.WriteNumberValue(dimension);
            writer.WriteEndArray();
            if (request.WantsBinary(name) || !JsonTensors.CanCarry(tensor.ElementType))
            {
                ReadOnlyMemory<byte> body = BytesOf(tensor, owners, pool);
                bodies.Add(body);
                writer.WriteStartObject("parameters");
                writer.WriteNumber("binary_data_size", body.Length);
                writer.WriteEndObject();
            }
            else
            {
                writer.WritePropertyName("data");
                JsonTensors.Write(writer, tensor);
            }
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static ReadOnlyMemory<byte> BytesOf(Tensor tensor, List<IMemoryOwner<byte>> owners, TensorBufferPool pool)
    {
        if (tensor.ElementType != TensorElementType.String)
            return tensor.Bytes;
        IMemoryOwner<byte> owner = StringTensorCodec.Encode(tensor, checked((int)StringTensorCodec.EncodedBytes(tensor)), pool);
        owners.Add(owner);
        return owner.Memory;
    }

    private static int JsonLength(HttpRequest request, int bodyLength)
    {
        string? text = request.Headers[JsonLengthHeader];
        if (text is null)
            return bodyLength;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int length) && length <= bodyLength
            ? length
            : throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"The header {JsonLengthHeader} is '{text}'; it tells how many of the body's {bodyLength} bytes are JSON.");
    }

    private static EdgeSplitException TooLarge(GrpcServiceOptions options) =>
        new(EdgeSplitError.InvalidInput, $"The request has more than {options.MaxTensorBytes} bytes, the limit. Raise {nameof(GrpcOptions.MaxTensorBytes)}.");
}
