using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Pillarbox.Protocols.Amqp.Policy;

/// <summary>
/// Where connections may come from: <c>*</c>, an address, <c>first-last</c>, <c>network/bits</c>, or a name that was looked
/// up when the rules were read. Immutable.
/// </summary>
public sealed class HostRanges
{
    /// <summary>From nowhere.</summary>
    public static readonly HostRanges None = new(isAll: false, []);

    private readonly bool _isAll;
    private readonly (UInt128 First, UInt128 Last)[] _ranges;

    private HostRanges(bool isAll, (UInt128, UInt128)[] ranges) => (_isAll, _ranges) = (isAll, ranges);

    /// <summary>Reads a list with commas between; false with what is wrong with it.</summary>
    /// <param name="text">The list.</param>
    /// <param name="lookUp">The addresses of a host's name; empty: there are none.</param>
    /// <param name="hosts">What was read.</param>
    /// <param name="error">The entry that cannot be read.</param>
    public static bool TryParse(
        string text, Func<string, IReadOnlyList<IPAddress>> lookUp, [NotNullWhen(true)] out HostRanges? hosts,
        [NotNullWhen(false)] out string? error)
    {
        var ranges = new List<(UInt128, UInt128)>();
        bool isAll = false;
        (hosts, error) = (null, null);
        foreach (string entry in text.Split(
            ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (entry == "*")
            {
                isAll = true;
            }
            else if (!TryEntry(entry, lookUp, ranges))
            {
                error = entry;
                return false;
            }
        }

        hosts = new HostRanges(isAll, [.. ranges]);
        return true;
    }

    /// <summary>Whether an address is in one of the ranges.</summary>
    public bool Contains(string address)
    {
        if (_isAll)
        {
            return true;
        }

        return IPAddress.TryParse(address, out IPAddress? parsed) && NumberOf(parsed) is var number
            && Array.Exists(_ranges, range => range.First <= number && number <= range.Last);
    }

    private static bool TryEntry(
        string entry, Func<string, IReadOnlyList<IPAddress>> lookUp, List<(UInt128, UInt128)> ranges)
    {
        if (IPAddress.TryParse(entry, out IPAddress? one))
        {
            ranges.Add((NumberOf(one), NumberOf(one)));
            return true;
        }

        if (entry.Contains('/'))
        {
            return IPNetwork.TryParse(entry, out IPNetwork network) && AddNetwork(network, ranges);
        }

        int dash = entry.IndexOf('-');
        if (dash > 0 && IPAddress.TryParse(entry[..dash], out IPAddress? first)
            && IPAddress.TryParse(entry[(dash + 1)..], out IPAddress? last))
        {
            ranges.Add((NumberOf(first), NumberOf(last)));
            return first.AddressFamily == last.AddressFamily && NumberOf(first) <= NumberOf(last);
        }

        IReadOnlyList<IPAddress> found = Uri.CheckHostName(entry) == UriHostNameType.Dns ? lookUp(entry) : [];
        ranges.AddRange(found.Select(address => (NumberOf(address), NumberOf(address))));
        return found.Count > 0;
    }

    private static bool AddNetwork(IPNetwork network, List<(UInt128, UInt128)> ranges)
    {
        int bits = network.BaseAddress.GetAddressBytes().Length * 8 - network.PrefixLength;
        UInt128 first = NumberOf(network.BaseAddress);
        UInt128 rest = bits == 128 ? UInt128.MaxValue : (UInt128.One << bits) - 1;
        ranges.Add((first, first | rest));
        return true;
    }

    // Addresses of the old protocol are where the new one has them.
    private static UInt128 NumberOf(IPAddress address)
    {
        UInt128 number = 0;
        foreach (byte part in address.MapToIPv6().GetAddressBytes())
        {
            number = (number << 8) | part;
        }

        return number;
    }
}
