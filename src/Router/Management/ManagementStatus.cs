namespace Pillarbox.Router.Management;

/// <summary>Status codes of replies: those of HTTP.</summary>
public static class ManagementStatus
{
    public const int Ok = 200;
    public const int Created = 201;
    public const int NoContent = 204;
    public const int BadRequest = 400;
    public const int Unauthorized = 401;
    public const int Forbidden = 403;
    public const int NotFound = 404;
    public const int InternalError = 500;
    public const int NotImplemented = 501;

    /// <summary>What the protocol's peers say to a code when there is nothing else to say.</summary>
    public static string TextOf(int code) => code switch
    {
        Ok => "OK",
        Created => "Created",
        NoContent => "No Content",
        BadRequest => "Bad Request",
        Unauthorized => "Unauthorized",
        Forbidden => "Forbidden",
        NotFound => "Not Found",
        NotImplemented => "Not Implemented",
        _ => "Internal Server Error",
    };
}

/// <summary>A request that cannot be fulfilled; becomes a reply. Thrown inside the agent only.</summary>
internal sealed class ManagementException(int status, string description) : Exception(description)
{
    public int Status { get; } = status;
}
