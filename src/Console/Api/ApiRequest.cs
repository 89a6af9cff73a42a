using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Pillarbox.Broker;
using Pillarbox.Broker.Management;
using Pillarbox.Model;

namespace Pillarbox.ConsoleApi;

/// <summary>
/// One request that has logged in: what a resource needs of it. Reading it throws <see cref="BrokerException"/>.
/// </summary>
internal sealed class ApiRequest(HttpContext context, ApiRoute route, ApiServices services, Identity who)
{
    /// <summary>The query parameter that names the address space.</summary>
    public const string SpaceParameter = "space";

    private const string DefaultSpace = "default";

    private const int BodyBytesMax = 64 << 10;

    public HttpContext Context { get; } = context;

    public ApiServices Services { get; } = services;

    public Identity Who { get; } = who;

    /// <summary>The address space that the request is about: what it names, else the user's own, else the
    /// default.</summary>
    public string Space => Text(SpaceParameter) ?? Who.AddressSpace ?? DefaultSpace;

    public BrokerManagement Management => Services.Broker.Management;

    /// <summary>
    /// The part of the path that the route calls <paramref name="name"/>, decoded once. It is taken from the request
    /// as it was
    /// sent: the server leaves an encoded slash alone, so a queue may have slashes in its name.
    /// </summary>
    public string Segment(string name)
    {
        int at = Array.IndexOf(route.Path.Split('/'), "{" + name + "}");
        string target = Context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        string[] parts = target.Split('?', 2)[0].Split('/');
        string part = at < parts.Length ? Uri.UnescapeDataString(parts[at]) : "";
        string what = name == "name" ? name : $"{name} name";
        return AddressName.Check(part, what) is { } error ? throw Invalid(error) : part;
    }

    /// <summary>A text behind the question mark, or null.</summary>
    public string? Text(string name)
    {
        string? value = Context.Request.Query[name];
        return string.IsNullOrEmpty(value) ? null : value;
    }

    /// <summary>A whole number behind the question mark.</summary>
    public int Number(string name, int otherwise, int least, int most)
    {
        if (Text(name) is not { } text)
        {
            return otherwise;
        }

        bool good = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number);
        return good && number >= least && number <= most
            ? number
            : throw Invalid($"{name} must be a whole number from {least} to {most}, not '{text}'");
    }

    /// <summary>A truth behind the question mark; absent = false.</summary>
    public bool Flag(string name) => Text(name) switch
    {
        null or "false" => false,
        "true" => true,
        { } other => throw Invalid($"{name} must be true or false, not '{other}'"),
    };

    /// <summary>The JSON body. Demands the media type, for a form of a foreign web page cannot send it.</summary>
    public async Task<T> BodyAsync<T>(JsonTypeInfo<T> type)
    {
        if (!Context.Request.HasJsonContentType())
        {
            throw Invalid("send the body with Content-Type: application/json");
        }

        if (Context.Request.ContentLength > BodyBytesMax)
        {
            throw Invalid($"the body may have at most {BodyBytesMax} bytes");
        }

        try
        {
            return await JsonSerializer.DeserializeAsync(Context.Request.Body, type, Context.RequestAborted)
                ?? throw Invalid("the body is empty");
        }
        catch (JsonException e)
        {
            throw Invalid($"the body cannot be read: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    /// <summary>Throws unless the user may see the whole node.</summary>
    public void RequireView() =>
        Services.Broker.Authorizer.Authorize(Who, Broker.Security.Permission.View, Space, new AddressName("#", null));

    /// <summary>Answers with JSON.</summary>
    public Task AnswerAsync<T>(T value, JsonTypeInfo<T> type)
    {
        Context.Response.StatusCode = route.Status;
        Context.Response.ContentType = "application/json; charset=utf-8";
        return JsonSerializer.SerializeAsync(Context.Response.Body, value, type, Context.RequestAborted);
    }

    /// <summary>Answers with the route's status and no body.</summary>
    public Task AnswerAsync()
    {
        Context.Response.StatusCode = route.Status;
        return Task.CompletedTask;
    }

    public static BrokerException Invalid(string message) => new(BrokerError.InvalidField, message);
}
