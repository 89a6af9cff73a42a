using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Destinations;

/// <summary>What the destinations mean that a connection has used lately. Used by the connection's loop alone.
/// </summary>
internal sealed class RememberedNames(OpenWireOptions options)
{
    private const int RememberedMax = 256;

    private readonly Dictionary<Destination, List<DestinationName>> _names = [];

    /// <summary>The names of a destination, which may be a list.</summary>
    /// <exception cref="OpenWireException">It is none; the command alone fails.</exception>
    public List<DestinationName> Of(Destination destination)
    {
        if (!_names.TryGetValue(destination, out List<DestinationName>? names))
        {
            names = DestinationName.ParseAll(destination, options.CompositeMax);
            if (_names.Count >= RememberedMax)
            {
                _names.Clear();
            }

            _names[destination] = names;
        }

        return names;
    }
}
