namespace Pillarbox.Model;

/// <summary>Who is at the other end of a connection, as the login established it. Immutable.</summary>
/// <param name="Name">The user name; for a client certificate its mapped name; <c>anonymous</c> for nobody.</param>
/// <param name="Roles">The roles that permissions are given to.</param>
/// <param name="IsAnonymous">Whether nobody logged in.</param>
public sealed record Identity(string Name, IReadOnlyList<string> Roles, bool IsAnonymous)
{
    /// <summary>The one address space that the user may enter; null: any, where permissions decide.</summary>
    public string? AddressSpace { get; init; }

    /// <summary>Nobody; what is allowed to everybody is given to the role <c>anonymous</c>.</summary>
    public static readonly Identity Anonymous = new("anonymous", ["anonymous"], IsAnonymous: true);

    /// <summary>The node itself (recovery, dead letters, the in-process API). Passes every check.</summary>
    public static readonly Identity Node = new("$node", [], IsAnonymous: false);
}
