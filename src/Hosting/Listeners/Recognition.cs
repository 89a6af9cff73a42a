namespace Pillarbox.Hosting.Listeners;

/// <summary>What the first bytes of a connection say about one protocol.</summary>
internal enum Recognition
{
    /// <summary>They are not of this protocol.</summary>
    No,

    /// <summary>They may be: more bytes will tell.</summary>
    NotYet,

    /// <summary>They are of this protocol.</summary>
    Yes,
}
