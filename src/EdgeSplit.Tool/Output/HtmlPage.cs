using System.Text.Json;

namespace EdgeSplit.Tool.Output;

/// <summary>Writes pages that need no network: a page of its own around the style, the script and the data that it gets.</summary>
internal static class HtmlPage
{
    /// <param name="path">The file to write.</param>
    /// <param name="page">The page, an embedded resource.</param>
    /// <param name="data">What it shows.</param>
    /// <param name="options">How the data is written.</param>
    public static void Write(string path, string page, object data, JsonSerializerOptions options)
    {
        string text = Resource(page)
            .Replace("/*STYLE*/", Resource("page.css").TrimEnd(), StringComparison.Ordinal)
            .Replace("/*SCRIPT*/", Resource("page.js") + Resource("graph.js").TrimEnd(), StringComparison.Ordinal)
            // Last, so that nothing is replaced in it. '<' is escaped by the serialiser, so no name can end the script element.
            .Replace("/*DATA*/", JsonSerializer.Serialize(data, options), StringComparison.Ordinal);
        File.WriteAllText(path, text);
    }

    private static string Resource(string name)
    {
        using Stream resource = typeof(HtmlPage).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(resource);
        return reader.ReadToEnd();
    }
}
