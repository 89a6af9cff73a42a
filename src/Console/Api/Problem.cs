using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Pillarbox.Broker;

namespace Pillarbox.ConsoleApi;

/// <summary>An error as RFC 9457 writes it.</summary>
/// <param name="Title">The class of the error.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">One sentence for the user.</param>
public sealed record Problem(string Title, int Status, string Detail)
{
    internal static Task WriteAsync(HttpContext context, int status, string detail)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json; charset=utf-8";
        var problem = new Problem(TitleOf(status), status, detail);
        return JsonSerializer.SerializeAsync(context.Response.Body, problem, ApiJson.Default.Problem);
    }

    internal static Task WriteAsync(HttpContext context, Exception error, ILogger logger)
    {
        switch (error)
        {
            case BrokerException refusal:
                return WriteAsync(context, StatusOf(refusal.Error), refusal.Message);
            case BadHttpRequestException bad:
                return WriteAsync(context, bad.StatusCode, bad.Message);
            case OperationCanceledException when context.RequestAborted.IsCancellationRequested:
                return Task.CompletedTask;
            default:
                ApiLog.Failed(logger, context.Request.Method, context.Request.Path, error);
                return WriteAsync(
                    context, StatusCodes.Status500InternalServerError, "the node failed at this request; see its log");
        }
    }

    private static int StatusOf(BrokerError error) => error switch
    {
        BrokerError.NotFound or BrokerError.ResourceDeleted => StatusCodes.Status404NotFound,
        BrokerError.Unauthorized => StatusCodes.Status403Forbidden,
        BrokerError.InvalidField => StatusCodes.Status400BadRequest,
        BrokerError.PreconditionFailed or BrokerError.ResourceLocked or BrokerError.IllegalState =>
            StatusCodes.Status409Conflict,
        BrokerError.ResourceLimitExceeded => StatusCodes.Status429TooManyRequests,
        BrokerError.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };

    private static string TitleOf(int status) => status switch
    {
        StatusCodes.Status400BadRequest => "Bad request",
        StatusCodes.Status401Unauthorized => "Login needed",
        StatusCodes.Status403Forbidden => "Not allowed",
        StatusCodes.Status404NotFound => "Not found",
        StatusCodes.Status409Conflict => "Conflict",
        StatusCodes.Status429TooManyRequests => "Limit reached",
        StatusCodes.Status503ServiceUnavailable => "Not available",
        _ => "Failed",
    };
}

/// <summary>What the API reports to the operator's log.</summary>
internal static partial class ApiLog
{
    [LoggerMessage(1, LogLevel.Error, "HTTP {Method} {Path} failed")]
    public static partial void Failed(ILogger logger, string method, string path, Exception error);
}
