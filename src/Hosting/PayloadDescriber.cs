using System.Text;
using System.Text.Unicode;
using Pillarbox.ConsoleApi;
using Pillarbox.Model;
using Pillarbox.Model.Content;

namespace Pillarbox.Hosting;

/// <summary>
/// Shows payloads to operators: what can be read as text is, what cannot be read is left out. Never throws.
/// </summary>
internal static class PayloadDescriber
{
    public static PayloadText Describe(PayloadFormat format, ReadOnlyMemory<byte> head)
    {
        IContentMap? map = PayloadFormats.Maps.FirstOrDefault(m => m.Format == format);
        // Null: the head ends within a section, or the sender wrote nonsense: the bytes themselves are shown.
        return map?.Read(new MessageHeader { Format = format }, "", head) is { } content
            ? new PayloadText(BodyOf(content), content.ContentType, PropertiesOf(content))
            : PayloadText.Unknown;
    }

    private static string? BodyOf(MessageContent content) => content.Form switch
    {
        BodyForm.None => null,
        BodyForm.Text or BodyForm.Binary or BodyForm.Object =>
            Utf8.IsValid(content.Bytes.Span) ? Encoding.UTF8.GetString(content.Bytes.Span) : null,
        _ => content.Value.ToString(),
    };

    private static Dictionary<string, string> PropertiesOf(MessageContent content)
    {
        var properties = new Dictionary<string, string>();
        foreach ((string name, ContentValue value) in content.Properties)
        {
            properties[name] = value.ToString();
        }

        return properties;
    }
}
