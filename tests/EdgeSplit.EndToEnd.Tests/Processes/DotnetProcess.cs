using System.Diagnostics;
using System.Text;

namespace EdgeSplit.EndToEnd.Tests.Processes;

/// <summary>A process of ours under test: killed, with its children, when the test ends.</summary>
internal sealed class DotnetProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();
    private readonly Lock _lock = new();
    private readonly List<(string Text, TaskCompletionSource<string> Seen)> _awaited = [];

    private DotnetProcess(Process process) => _process = process;

    public static string ToolAssembly { get; } = Path.Combine(AppContext.BaseDirectory, "edgesplit.dll");

    public string Output
    {
        get
        {
            lock (_lock)
                return _output.ToString();
        }
    }

    public string Error
    {
        get
        {
            lock (_lock)
                return _error.ToString();
        }
    }

    /// <summary>Starts the edgesplit command.</summary>
    public static DotnetProcess StartTool(params string[] arguments) => Start([ToolAssembly, .. arguments]);

    /// <summary>Runs the edgesplit command to its end.</summary>
    public static Task<Outcome> RunToolAsync(params string[] arguments) => RunAsync(TimeSpan.FromMinutes(4), [ToolAssembly, .. arguments]);

    /// <summary>Runs <c>dotnet</c> with some arguments to its end.</summary>
    public static async Task<Outcome> RunAsync(TimeSpan timeout, string[] arguments, string? workingDirectory = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        await using DotnetProcess process = Start(arguments, workingDirectory, environment);
        return await process.WaitForExitAsync(timeout);
    }

    public static DotnetProcess Start(string[] arguments, string? workingDirectory = null, IReadOnlyDictionary<string, string>? environment = null) =>
        StartProgram("dotnet", arguments, workingDirectory, environment);

    /// <summary>Starts any program.</summary>
    public static DotnetProcess StartProgram(string program, string[] arguments, string? workingDirectory = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = workingDirectory ?? Path.GetTempPath(),
        };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        // The test host's own settings must not leak into what is started.
        start.Environment.Remove("MSBUILD_EXE_PATH");
        start.Environment.Remove("MSBuildSDKsPath");
        var process = new DotnetProcess(new Process { StartInfo = start });
        process._process.OutputDataReceived += (_, line) => process.Append(process._output, line.Data);
        process._process.ErrorDataReceived += (_, line) => process.Append(process._error, line.Data);
        process._process.Start();
        process._process.BeginOutputReadLine();
        process._process.BeginErrorReadLine();
        return process;
    }

    /// <summary>Waits for a line on standard output or standard error that contains a text.</summary>
    public async Task<string> WaitForLineAsync(string text, TimeSpan timeout)
    {
        TaskCompletionSource<string> seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            foreach (string line in $"{_output}\n{_error}".Split('\n'))
            {
                if (line.Contains(text, StringComparison.Ordinal))
                    return line;
            }
            _awaited.Add((text, seen));
        }
        try
        {
            return await seen.Task.WaitAsync(timeout);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"No line with '{text}' within {timeout}. Output:\n{Output}\nError:\n{Error}");
        }
    }

    public async Task<Outcome> WaitForExitAsync(TimeSpan timeout)
    {
        using var cancellation = new CancellationTokenSource(timeout);
        try
        {
            await _process.WaitForExitAsync(cancellation.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The process did not end within {timeout}. Output:\n{Output}\nError:\n{Error}");
        }
        return new Outcome(_process.ExitCode, Output, Error);
    }

    /// <summary>Ends the process at once, as <c>kill -9</c> does.</summary>
    public void Kill() => _process.Kill(entireProcessTree: true);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
    }

    private void Append(StringBuilder builder, string? line)
    {
        if (line is null)
            return;
        lock (_lock)
        {
            builder.Append(line).Append('\n');
            _awaited.RemoveAll(awaited => line.Contains(awaited.Text, StringComparison.Ordinal) && awaited.Seen.TrySetResult(line));
        }
    }

    internal sealed record Outcome(int ExitCode, string Output, string Error);
}
