using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace EdgeSplit.Storage;

/// <summary>Reads a JSON file that a user wrote.</summary>
internal static class JsonFile
{
    /// <summary>Reads a file of one kind.</summary>
    /// <param name="path">The file.</param>
    /// <param name="kind">What it should be, for the message where it is missing, such as <c>fleet</c>.</param>
    /// <param name="type">How to read it.</param>
    /// <param name="invalid">Makes the exception for content that is none of the kind, of what is wrong and its cause.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: no such file; or what <paramref name="invalid"/> makes.</exception>
    public static T Read<T>(string path, string kind, JsonTypeInfo<T> type, Func<string, Exception?, EdgeSplitException> invalid)
        where T : class
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            return JsonSerializer.Deserialize(stream, type) ?? throw invalid("it is empty", null);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new EdgeSplitException(EdgeSplitError.NotFound, $"There is no {kind} file '{path}'.", exception);
        }
        catch (JsonException exception)
        {
            throw invalid(exception.Message, exception);
        }
    }
}
