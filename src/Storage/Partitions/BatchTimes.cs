namespace Pillarbox.Storage.Partitions;

/// <summary>What becomes of a batch's timestamps when it is appended, in milliseconds since the Unix epoch. The default
/// is: nothing.</summary>
/// <param name="AppendMs">The time of the append, which becomes that of every record; null: it does not.</param>
/// <param name="LargestMs">The largest timestamp of the records (-1: none has one), when the header says something
/// else; null: it does not.</param>
public readonly record struct BatchTimes(long? AppendMs, long? LargestMs);
