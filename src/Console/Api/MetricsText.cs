using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Pillarbox.ConsoleApi;

/// <summary>
/// Writes the Prometheus text format, version 0.0.4: HELP and TYPE once per name, then its samples. Labels are encoded
/// once by
/// the caller (<see cref="Label"/>) and copied into every sample. Pure: bytes into a buffer.
/// </summary>
internal sealed class MetricsText(IBufferWriter<byte> output)
{
    /// <summary>The media type of what is written.</summary>
    public const string MediaType = "text/plain; version=0.0.4; charset=utf-8";

    private const int NumberBytesMax = 32;
    private byte[] _name = [];

    /// <summary>Begins a metric; its samples follow.</summary>
    /// <param name="name">Letters, digits and underscores.</param>
    /// <param name="type">counter or gauge.</param>
    /// <param name="help">One sentence.</param>
    public void Begin(string name, string type, string help)
    {
        _name = Encoding.ASCII.GetBytes(name);
        Write($"# HELP {name} {help}\n# TYPE {name} {type}\n");
    }

    /// <summary>One sample of the metric that was begun.</summary>
    /// <param name="labels">Encoded labels without braces, or nothing.</param>
    /// <param name="value">The value.</param>
    public void Sample(ReadOnlySpan<byte> labels, long value)
    {
        Span<byte> span = Start(labels);
        bool written = Utf8Formatter.TryFormat(value, span, out int length);
        End(span, written ? length : 0);
    }

    /// <summary>One sample with a fraction.</summary>
    public void Sample(ReadOnlySpan<byte> labels, double value)
    {
        Span<byte> span = Start(labels);
        bool written = value.TryFormat(span, out int length, "R", System.Globalization.CultureInfo.InvariantCulture);
        End(span, written ? length : 0);
    }

    /// <summary>A metric with a single sample.</summary>
    public void Single(string name, string type, string help, long value)
    {
        Begin(name, type, help);
        Sample(default, value);
    }

    /// <summary>A metric with a single sample with a fraction.</summary>
    public void Single(string name, string type, string help, double value)
    {
        Begin(name, type, help);
        Sample(default, value);
    }

    /// <summary>Labels, encoded: <c>a="b",c="d"</c> with backslash, quote and line feed escaped.</summary>
    public static byte[] Label(params ReadOnlySpan<(string Name, string Value)> labels)
    {
        var text = new StringBuilder();
        foreach ((string name, string value) in labels)
        {
            text.Append(text.Length > 0 ? "," : "").Append(name).Append("=\"");
            text.Append(Escape(value)).Append('"');
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static string Escape(string value) =>
        value.AsSpan().IndexOfAny('\\', '"', '\n') < 0
            ? value
            : value.Replace("\\", @"\\", StringComparison.Ordinal)
                .Replace("\"", "\\\"", StringComparison.Ordinal)
                .Replace("\n", "\\n", StringComparison.Ordinal);

    private Span<byte> Start(ReadOnlySpan<byte> labels)
    {
        Span<byte> span = output.GetSpan(_name.Length + labels.Length + NumberBytesMax + 4);
        _name.CopyTo(span);
        int at = _name.Length;
        if (!labels.IsEmpty)
        {
            span[at++] = (byte)'{';
            labels.CopyTo(span[at..]);
            at += labels.Length;
            span[at++] = (byte)'}';
        }

        span[at++] = (byte)' ';
        output.Advance(at);
        return output.GetSpan(NumberBytesMax + 1);
    }

    private void End(Span<byte> span, int length)
    {
        span[length] = (byte)'\n';
        output.Advance(length + 1);
    }

    private void Write(string text) => Encoding.UTF8.GetBytes(text, output);
}
