using System.CommandLine;

namespace EdgeSplit.Tool;

/// <summary>Runs a command and turns its outcome into an exit code and, on failure, one clear line on standard error.</summary>
internal static class CommandLine
{
    public const int Fine = 0;
    public const int Failed = 1;
    public const int BadUsage = 2;

    // A server lets the requests under way end first.
    private static readonly TimeSpan TerminationTimeout = TimeSpan.FromSeconds(30);

    public static async Task<int> InvokeAsync(RootCommand root, string[] args)
    {
        ParseResult parsed = root.Parse(args);
        var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TerminationTimeout };
        try
        {
            int exitCode = await parsed.InvokeAsync(configuration);
            return parsed.Errors.Count > 0 ? BadUsage : exitCode;
        }
        catch (BadUsageException exception)
        {
            return Report(exception.Message, BadUsage);
        }
        catch (EdgeSplitException exception)
        {
            return Report(exception.Message, Failed);
        }
        catch (ArgumentException exception)
        {
            // The value of an argument that only the library could judge; which of its parameters that was means nothing here.
            return Report(exception.Message.Replace($" (Parameter '{exception.ParamName}')", "", StringComparison.Ordinal), BadUsage, exception);
        }
        catch (OperationCanceledException)
        {
            return Report("stopped before it was done", Failed);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Report(exception.Message, Failed);
        }
        catch (Exception exception)
        {
            return Report($"unexpected: {exception.GetType().Name}: {exception.Message} (set EDGESPLIT_DEBUG=1 for the whole trace)", Failed, exception);
        }
    }

    private static int Report(string message, int exitCode, Exception? exception = null)
    {
        Console.Error.WriteLine($"edgesplit: {message}");
        if (exception is not null && Environment.GetEnvironmentVariable("EDGESPLIT_DEBUG") == "1")
            Console.Error.WriteLine(exception);
        return exitCode;
    }
}
