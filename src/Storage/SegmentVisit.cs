namespace Pillarbox.Storage;

/// <summary>Reads one sealed segment for compaction and inspection.</summary>
internal static class SegmentVisit
{
    /// <summary>Visits the good records up to the segment's end; returns what lay between them and was bad.</summary>
    public static IReadOnlyList<LogDamage> Run(LogSegment? segment, IRecordVisitor visitor)
    {
        if (segment?.File is null)
        {
            return [];
        }

        var damages = new List<LogDamage>();
        var scanner = new SegmentScanner();
        scanner.Open(segment, segment.End);
        long position = segment.BasePosition;
        while (position < segment.End)
        {
            if (!scanner.TryRead(position))
            {
                string reason = scanner.Reason;
                long next = scanner.FindNext(position + 1);
                long until = next < 0 ? segment.End : next;
                damages.Add(new LogDamage(
                    position, until - position, SegmentFiles.NameOf(segment.BasePosition), reason));
                position = until;
                continue;
            }

            RecordHeader header = scanner.Header;
            if (header.Type == RecordFormat.SealType)
            {
                break;
            }

            if (header.Type <= RecordFormat.TypeMax)
            {
                visitor.Visit(new LogRecord
                {
                    Position = position,
                    Type = header.Type,
                    GroupContinues = header.GroupContinues,
                    Payload = scanner.Payload,
                });
            }

            position += header.RecordBytes;
        }

        return damages;
    }
}
