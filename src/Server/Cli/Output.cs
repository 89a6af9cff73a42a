using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spectre.Console;

namespace Pillarbox.Server.Cli;

/// <summary>How what was read is printed: a table for people, or JSON for scripts.</summary>
internal enum OutputFormat
{
    /// <summary>Aligned columns.</summary>
    Table,

    /// <summary>The API's own JSON.</summary>
    Json,
}

/// <summary>Prints what verbs read, to standard output.</summary>
internal static class Output
{
    private const int RedirectedWidth = 4096;

    /// <summary>The <c>-o</c> flag; one instance for each verb.</summary>
    public static Option<OutputFormat> Option() => new("--output", "-o")
    {
        Description = "table (default) or json.",
    };

    /// <summary>The value as JSON, indented.</summary>
    public static void Json<T>(T value, JsonTypeInfo<T> type)
    {
        var readable = new JsonSerializerOptions(type.Options)
        {
            WriteIndented = true,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        Console.WriteLine(JsonSerializer.Serialize(value, (JsonTypeInfo<T>)readable.GetTypeInfo(typeof(T))));
    }

    /// <summary>The value as JSON on one line.</summary>
    public static void JsonLine<T>(T value, JsonTypeInfo<T> type) =>
        Console.WriteLine(JsonSerializer.Serialize(value, type));

    /// <summary>Rows under headings. A heading that ends with '#' is a column of numbers.</summary>
    public static void Table(string[] headings, IEnumerable<string[]> rows)
    {
        var table = new Table { Border = TableBorder.None, UseSafeBorder = true, ShowHeaders = true };
        foreach (string heading in headings)
        {
            bool number = heading.EndsWith('#');
            var column = new TableColumn(Markup.Escape(heading.TrimEnd('#').ToUpperInvariant())) { NoWrap = true };
            column.Alignment = number ? Justify.Right : Justify.Left;
            column.Padding = new Padding(0, 0, 2, 0);
            table.AddColumn(column);
        }

        foreach (string[] row in rows)
        {
            table.AddRow([.. row.Select(cell => new Text(Printable(cell)))]);
        }

        Write(table);
    }

    /// <summary>One thing: a name and a value a line.</summary>
    public static void Fields(IEnumerable<(string Name, string Value)> fields)
    {
        foreach ((string name, string value) in fields)
        {
            Console.WriteLine($"{name,-18} {Printable(value)}");
        }
    }

    /// <summary>Text of a message cannot steer the terminal.</summary>
    public static string Printable(string text) =>
        text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '\uFFFD' : c)) : text;

    private static void Write(Table table)
    {
        IAnsiConsole console = AnsiConsole.Console;
        if (Console.IsOutputRedirected)
        {
            // Scripts read lines: nothing may be folded at the width of a terminal that is not there.
            console.Profile.Width = RedirectedWidth;
        }

        console.Write(table);
    }
}
