using System.Diagnostics;

namespace EdgeSplit.Testbed.Internal;

/// <summary>Runs a command of the system to its end.</summary>
internal static class Command
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    /// <summary>Runs a command, its words parted by single blanks.</summary>
    /// <exception cref="InvalidOperationException">It failed, was not found or did not end.</exception>
    public static string Run(string command)
    {
        if (!TryRun(command, out string output))
            throw new InvalidOperationException($"'{command}' failed: {output.Trim()}");
        return output;
    }

    /// <summary>Runs a command; false, with what it said, where it failed.</summary>
    public static bool TryRun(string command, out string output)
    {
        string[] words = command.Split(' ');
        var start = new ProcessStartInfo(words[0], words[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> error = process.StandardError.ReadToEndAsync();
            output = process.StandardOutput.ReadToEnd();
            output += error.GetAwaiter().GetResult();
            if (process.WaitForExit(Timeout))
                return process.ExitCode == 0;
            process.Kill();
            output = $"it did not end within {Timeout}";
            return false;
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            output = exception.Message;
            return false;
        }
    }
}
