namespace Pillarbox.Broker.Quotas;

/// <summary>What is limited. The names are those of the field.</summary>
public enum QuotaKind
{
    /// <summary>Bytes a second that are written (<c>producer_byte_rate</c>).</summary>
    ProducerBytes,

    /// <summary>Bytes a second that are read (<c>consumer_byte_rate</c>).</summary>
    ConsumerBytes,

    /// <summary>Percent of one processor's time (<c>request_percentage</c>).</summary>
    RequestPercent,

    /// <summary>Partitions made and deleted a second (<c>controller_mutation_rate</c>).</summary>
    Mutations,
}

/// <summary>The kinds by their names.</summary>
public static class QuotaNames
{
    private static readonly (string Name, QuotaKind Kind)[] Table =
    [
        ("producer_byte_rate", QuotaKind.ProducerBytes),
        ("consumer_byte_rate", QuotaKind.ConsumerBytes),
        ("request_percentage", QuotaKind.RequestPercent),
        ("controller_mutation_rate", QuotaKind.Mutations),
    ];

    /// <summary>All kinds.</summary>
    public static IReadOnlyList<QuotaKind> All { get; } = [.. Table.Select(row => row.Kind)];

    /// <summary>The kind's name.</summary>
    public static string Of(QuotaKind kind) => Table[(int)kind].Name;

    /// <summary>The kind of a name; null when there is none.</summary>
    public static QuotaKind? Find(string name)
    {
        foreach ((string known, QuotaKind kind) in Table)
        {
            if (known == name)
            {
                return kind;
            }
        }

        return null;
    }
}
