namespace Pillarbox.Broker;

/// <summary>What a client may know of an address before it attaches.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Anycast">Whether it carries anycast queues.</param>
/// <param name="Multicast">Whether it carries multicast queues.</param>
public sealed record AddressDescription(string Name, bool Anycast, bool Multicast);
