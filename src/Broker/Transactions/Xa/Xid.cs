using System.Globalization;

namespace Pillarbox.Broker.Transactions.Xa;

/// <summary>
/// The name of a branch of a distributed transaction (X/Open XA section 4.2): a format, a global id and a branch
/// qualifier. Immutable.
/// </summary>
public sealed class Xid : IEquatable<Xid>
{
    /// <summary>The longest global id, and the longest branch qualifier, in bytes.</summary>
    public const int PartBytesMax = 64;

    private readonly byte[] _global;
    private readonly byte[] _branch;

    /// <summary>A name. Errors: <see cref="XaException"/> INVAL when a part is too long or the global id is
    /// empty.</summary>
    public Xid(int formatId, ReadOnlySpan<byte> globalId, ReadOnlySpan<byte> branchQualifier)
    {
        if (globalId.Length is 0 or > PartBytesMax || branchQualifier.Length > PartBytesMax)
        {
            throw new XaException(XaCode.Invalid, "a global id has 1 to 64 bytes, a branch qualifier at most 64");
        }

        FormatId = formatId;
        _global = globalId.ToArray();
        _branch = branchQualifier.ToArray();
    }

    /// <summary>The format of the ids.</summary>
    public int FormatId { get; }

    /// <summary>The transaction that the branch is of.</summary>
    public ReadOnlyMemory<byte> GlobalId => _global;

    /// <summary>Which branch of it.</summary>
    public ReadOnlyMemory<byte> BranchQualifier => _branch;

    /// <summary>Reads what <see cref="ToString"/> writes; null when it is none.</summary>
    public static Xid? Parse(string text)
    {
        string[] parts = text.Split('-');
        try
        {
            return parts.Length == 3 && int.TryParse(parts[0], NumberStyles.HexNumber, null, out int format)
                ? new Xid(format, Convert.FromHexString(parts[1]), Convert.FromHexString(parts[2]))
                : null;
        }
        catch (Exception e) when (e is FormatException or XaException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public bool Equals(Xid? other) => other is not null && FormatId == other.FormatId
        && _global.AsSpan().SequenceEqual(other._global) && _branch.AsSpan().SequenceEqual(other._branch);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Xid);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(FormatId);
        hash.AddBytes(_global);
        hash.AddBytes(_branch);
        return hash.ToHashCode();
    }

    /// <summary>Format, global id and branch qualifier, in hex, with <c>-</c> between.</summary>
    public override string ToString() =>
        $"{FormatId:x8}-{Convert.ToHexStringLower(_global)}-{Convert.ToHexStringLower(_branch)}";
}
