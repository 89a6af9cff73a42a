namespace Pillarbox.Broker.Quotas;

/// <summary>A quota that holds for somebody: how much a second, and who is counted together.</summary>
internal readonly record struct QuotaRule(double Rate, MeterKey Meter);

/// <summary>Who is counted together: the user, the client id, or both.</summary>
internal readonly record struct MeterKey(QuotaKind Kind, string? User, string? Client);

/// <summary>The quotas of an address space at one moment. Immutable.</summary>
internal sealed class QuotaTable
{
    public static readonly QuotaTable Empty =
        new(new Dictionary<QuotaEntity, IReadOnlyDictionary<QuotaKind, double>>());

    public QuotaTable(IReadOnlyDictionary<QuotaEntity, IReadOnlyDictionary<QuotaKind, double>> entries) =>
        Entries = entries;

    public IReadOnlyDictionary<QuotaEntity, IReadOnlyDictionary<QuotaKind, double>> Entries { get; }

    public bool IsEmpty => Entries.Count == 0;

    /// <summary>
    /// The one quota that holds, by the field's order: what names the user before what names the client only, what
    /// names somebody before a default.
    /// </summary>
    public QuotaRule? Find(QuotaKind kind, string user, string client)
    {
        if (IsEmpty)
        {
            return null;
        }

        QuotaPart u = QuotaPart.Of(user);
        QuotaPart c = QuotaPart.Of(client);
        ReadOnlySpan<QuotaEntity> order =
        [
            new(u, c), new(u, QuotaPart.Default), new(u, default),
            new(QuotaPart.Default, c), new(QuotaPart.Default, QuotaPart.Default), new(QuotaPart.Default, default),
            new(default, c), new(default, QuotaPart.Default),
        ];
        foreach (QuotaEntity entity in order)
        {
            if (Entries.TryGetValue(entity, out IReadOnlyDictionary<QuotaKind, double>? values)
                && values.TryGetValue(kind, out double rate))
            {
                bool byUser = entity.User.Scope != QuotaScope.Absent;
                bool byClient = entity.Client.Scope != QuotaScope.Absent;
                return new QuotaRule(rate, new MeterKey(kind, byUser ? user : null, byClient ? client : null));
            }
        }

        return null;
    }

    /// <summary>The table after changes.</summary>
    public QuotaTable With(IEnumerable<QuotaChange> changes)
    {
        var entries = Entries.ToDictionary(e => e.Key, e => new Dictionary<QuotaKind, double>(e.Value));
        foreach (QuotaChange change in changes)
        {
            if (!entries.TryGetValue(change.Entity, out Dictionary<QuotaKind, double>? values))
            {
                entries[change.Entity] = values = [];
            }

            if (change.Value is { } value)
            {
                values[change.Kind] = value;
            }
            else
            {
                values.Remove(change.Kind);
            }
        }

        return new QuotaTable(entries.Where(e => e.Value.Count > 0)
            .ToDictionary(e => e.Key, e => (IReadOnlyDictionary<QuotaKind, double>)e.Value));
    }
}
