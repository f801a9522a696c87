using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenInferenceClient;

/// <summary>The Open Inference Protocol over REST, with nothing but <see cref="HttpClient"/> and JSON.</summary>
internal sealed class RestClient(string address) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = new Uri(address) };

    public async Task<string> DescribeAsync(string model)
    {
        JsonNode metadata = (await _http.GetFromJsonAsync<JsonNode>($"/v2/models/{model}"))!;
        return $"{metadata["name"]} ({metadata["platform"]}) takes {metadata["inputs"]!.ToJsonString()}";
    }

    /// <summary>Runs the model with one input of 32-bit floats, and gives its first output.</summary>
    public async Task<float[]> InferAsync(string model, string input, long[] shape, float[] values)
    {
        using HttpResponseMessage response = await _http.PostAsJsonAsync(
            $"/v2/models/{model}/infer",
            new { inputs = new[] { new { name = input, datatype = "FP32", shape, data = values } } });
        JsonNode answer = (await response.Content.ReadFromJsonAsync<JsonNode>())!;
        return response.IsSuccessStatusCode
            ? answer["outputs"]![0]!["data"]!.Deserialize<float[]>()!
            : throw new HttpRequestException($"The server refused: {answer["error"]}", null, response.StatusCode);
    }

    public void Dispose() => _http.Dispose();
}
