using Spectre.Console;

namespace EdgeSplit.Tool.Output;

/// <summary>Tables for people: as wide as the terminal, or as wide as they need where there is none.</summary>
internal static class Tables
{
    public static IAnsiConsole Console { get; } = CreateConsole(System.Console.Out, System.Console.IsOutputRedirected);

    /// <summary>Progress and remarks, so that standard output holds results alone.</summary>
    public static IAnsiConsole Status { get; } = CreateConsole(System.Console.Error, System.Console.IsErrorRedirected);

    public static Table Create(string title, params ReadOnlySpan<string> columns)
    {
        var table = new Table { Title = new TableTitle(Markup.Escape(title)), Border = TableBorder.Rounded };
        foreach (string column in columns)
        {
            // A leading '>' marks a column of figures.
            var tableColumn = new TableColumn(new Text(column.TrimStart('>'))) { NoWrap = column.StartsWith('>') };
            table.AddColumn(column.StartsWith('>') ? tableColumn.RightAligned() : tableColumn);
        }
        return table;
    }

    public static void Add(this Table table, params ReadOnlySpan<string> cells)
    {
        var row = new Text[cells.Length];
        for (int i = 0; i < cells.Length; i++)
            row[i] = new Text(cells[i]);
        table.AddRow(row);
    }

    private static IAnsiConsole CreateConsole(TextWriter writer, bool redirected)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = redirected ? AnsiSupport.No : AnsiSupport.Detect,
        });
        if (redirected)
            console.Profile.Width = 200;
        return console;
    }
}
