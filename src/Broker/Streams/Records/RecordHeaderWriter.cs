using System.Buffers;
using System.Text;
using Pillarbox.Model.Content;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Streams.Records;

/// <summary>Writes headers of a record with what they were. One record's.</summary>
internal sealed class RecordHeaderWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private readonly StringBuilder _marks = new();

    public int Count { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    /// <summary>Whether they would be read as they are without marks.</summary>
    public bool IsPlain { get; private set; } = true;

    public void Write(char role, string name, in ContentValue value)
    {
        IsPlain &= role == RecordMarks.Application && value.Type == ContentType.String;
        _marks.Append(role).Append(RecordMarks.LetterOf(value.Type));
        WriteBytes(Encoding.UTF8.GetBytes(name));
        if (value.IsNull)
        {
            WriteLength(-1);
        }
        else
        {
            WriteBytes(RecordValues.ToBytes(value));
        }

        Count++;
    }

    /// <summary>The last header: what the body and the headers were.</summary>
    public void WriteMarks(BodyForm form, ContentType type)
    {
        WriteBytes(RecordMarks.NameUtf8);
        WriteBytes(Encoding.ASCII.GetBytes($"{RecordMarks.LetterOf(form)}{RecordMarks.LetterOf(type)}{_marks}"));
        Count++;
    }

    private void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        WriteLength(bytes.Length);
        _bytes.Write(bytes);
    }

    private void WriteLength(int length) => _bytes.Advance(Varint.Write(_bytes.GetSpan(Varint.IntBytesMax), length));
}
