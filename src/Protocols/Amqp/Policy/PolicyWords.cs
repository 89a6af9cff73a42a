namespace Pillarbox.Protocols.Amqp.Policy;

/// <summary>What stands for the words in a pattern that are of the connection. Immutable.</summary>
/// <param name="User">For <c>${user}</c>.</param>
/// <param name="Host">For <c>${host}</c>.</param>
public readonly record struct PolicyWords(string User, string Host)
{
    public const string UserWord = "${user}";
    public const string HostWord = "${host}";

    /// <summary>A text with its words replaced.</summary>
    public string Fill(string text) => text
        .Replace(UserWord, User ?? "", StringComparison.Ordinal)
        .Replace(HostWord, Host ?? "", StringComparison.Ordinal);

    /// <summary>What a whole token stands for; null: for itself.</summary>
    public string? Of(string token) => token switch
    {
        UserWord => User ?? "",
        HostWord => Host ?? "",
        _ => null,
    };
}
