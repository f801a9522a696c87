using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeSplit.Tests;

namespace EdgeSplit.Hosting.Tests.Dashboard;

/// <summary>A Chromium without a window, driven over its debugging protocol. Tests are skipped where there is none.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private static readonly string[] Paths = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private readonly Process _process;
    private readonly TemporaryFolder _profile;
    private readonly ClientWebSocket _socket = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode>> _calls = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly SemaphoreSlim _sending = new(1);
    private Task _reading = Task.CompletedTask;
    private string _session = "";
    private int _lastCall;

    private Browser(Process process, TemporaryFolder profile)
    {
        _process = process;
        _profile = profile;
    }

    /// <summary>Errors of scripts, refused loads and violations of the page's policy.</summary>
    public ConcurrentQueue<string> Errors { get; } = new();

    public static async Task<Browser> StartAsync()
    {
        string? path = Paths.FirstOrDefault(File.Exists);
        if (path is null)
            Assert.Ignore("There is no Chromium to try the dashboard in; install it as one of: " + string.Join(", ", Paths));
        var profile = new TemporaryFolder();
        var start = new ProcessStartInfo(path!)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (string argument in (string[])["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-port=0", $"--user-data-dir={profile.Path}", "about:blank"])
            start.ArgumentList.Add(argument);
        var browser = new Browser(Process.Start(start)!, profile);
        try
        {
            await browser.ConnectAsync().WaitAsync(Hosts.Limit);
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
        return browser;
    }

    /// <summary>Opens a page in a window of a size.</summary>
    public async Task OpenAsync(string address, int width, int height, bool isDark)
    {
        await CallAsync("Emulation.setDeviceMetricsOverride", new JsonObject { ["width"] = width, ["height"] = height, ["deviceScaleFactor"] = 1, ["mobile"] = width < 600 });
        await CallAsync("Emulation.setEmulatedMedia", new JsonObject
        {
            ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = isDark ? "dark" : "light" }),
        });
        await CallAsync("Page.navigate", new JsonObject { ["url"] = address });
    }

    /// <summary>The value of an expression in the page.</summary>
    public async Task<string> EvaluateAsync(string expression)
    {
        JsonNode result = await CallAsync("Runtime.evaluate", new JsonObject { ["expression"] = $"String({expression})", ["awaitPromise"] = true });
        return result["result"]!["value"]?.GetValue<string>() ?? throw new InvalidOperationException($"{expression}: {result.ToJsonString()}");
    }

    /// <summary>Waits until an expression is true in the page.</summary>
    public async Task WaitForAsync(string expression)
    {
        await CallAsync("Runtime.evaluate", new JsonObject
        {
            ["awaitPromise"] = true,
            ["expression"] = $"new Promise(done => {{ const look = () => {{ let is = false; try {{ is = {expression}; }} catch {{ }} is ? done() : setTimeout(look, 50); }}; look(); }})",
        }).WaitAsync(Hosts.Limit);
    }

    /// <summary>Keeps a picture of the whole page where EDGESPLIT_SCREENSHOTS names a folder for it.</summary>
    public async Task KeepPictureAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("EDGESPLIT_SCREENSHOTS") is not { Length: > 0 } folder)
            return;
        JsonNode result = await CallAsync("Page.captureScreenshot", new JsonObject { ["captureBeyondViewport"] = true });
        await File.WriteAllBytesAsync(Path.Combine(folder, $"{name}.png"), Convert.FromBase64String(result["data"]!.GetValue<string>()));
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _socket.Dispose();
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        try
        {
            _profile.Dispose();
        }
        catch (IOException)
        {
            // A child that is still ending writes to its profile.
        }
    }

    private async Task ConnectAsync()
    {
        const string Marker = "DevTools listening on ";
        string? line;
        do
            line = await _process.StandardError.ReadLineAsync() ?? throw new InvalidOperationException("Chromium ended before it could be reached.");
        while (!line.StartsWith(Marker, StringComparison.Ordinal));
        _ = _process.StandardError.ReadToEndAsync();
        _ = _process.StandardOutput.ReadToEndAsync();
        await _socket.ConnectAsync(new Uri(line[Marker.Length..]), _closing.Token);
        _reading = ReadAsync();
        JsonNode target = await CallAsync("Target.createTarget", new JsonObject { ["url"] = "about:blank" });
        JsonNode attached = await CallAsync("Target.attachToTarget", new JsonObject { ["targetId"] = target["targetId"]!.DeepClone(), ["flatten"] = true });
        _session = attached["sessionId"]!.GetValue<string>();
        foreach (string domain in (string[])["Page", "Runtime", "Log"])
            await CallAsync($"{domain}.enable", []);
    }

    private async Task<JsonNode> CallAsync(string method, JsonObject parameters)
    {
        int id = Interlocked.Increment(ref _lastCall);
        var answer = new TaskCompletionSource<JsonNode>(TaskCreationOptions.RunContinuationsAsynchronously);
        _calls[id] = answer;
        var call = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
        if (_session.Length > 0)
            call["sessionId"] = _session;
        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(Encoding.UTF8.GetBytes(call.ToJsonString()), WebSocketMessageType.Text, true, _closing.Token);
        }
        finally
        {
            _sending.Release();
        }
        return await answer.Task.WaitAsync(Hosts.Limit);
    }

    private async Task ReadAsync()
    {
        byte[] buffer = new byte[1 << 16];
        while (true)
        {
            using var message = new MemoryStream();
            WebSocketReceiveResult part;
            do
            {
                part = await _socket.ReceiveAsync(buffer, _closing.Token);
                message.Write(buffer, 0, part.Count);
            }
            while (!part.EndOfMessage);
            JsonNode read = JsonSerializer.Deserialize<JsonNode>(message.ToArray())!;
            if (read["id"]?.GetValue<int>() is { } id && _calls.TryRemove(id, out TaskCompletionSource<JsonNode>? answer))
            {
                if (read["error"] is { } error)
                    answer.SetException(new InvalidOperationException(error.ToJsonString()));
                else
                    answer.SetResult(read["result"]!);
            }
            else if (read["method"]?.GetValue<string>() == "Runtime.exceptionThrown"
                || (read["method"]?.GetValue<string>() == "Log.entryAdded" && read["params"]!["entry"]!["level"]!.GetValue<string>() == "error"))
            {
                Errors.Enqueue(read["params"]!.ToJsonString());
            }
        }
    }
}
