namespace Pillarbox.Broker.Addresses;

/// <summary>The tenants of a node. Fixed after start.</summary>
internal sealed class AddressSpaces
{
    public const string DefaultName = "default";

    private readonly Dictionary<string, AddressSpace> _spaces = new(StringComparer.Ordinal);

    public IReadOnlyCollection<AddressSpace> All => _spaces.Values;

    public AddressSpace? Find(string name) => _spaces.GetValueOrDefault(name);

    public AddressSpace Add(AddressSpace space)
    {
        _spaces.Add(space.Name, space);
        return space;
    }
}
