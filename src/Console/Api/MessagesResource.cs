using Pillarbox.Broker.Management;

namespace Pillarbox.ConsoleApi;

/// <summary><c>/api/v1/queues/{queue}/messages</c>: looks at messages without consuming them.</summary>
internal static class MessagesResource
{
    private const int MessagesDefault = 20;
    private const int MessagesMax = 500;

    public static readonly ApiRoute[] Routes =
    [
        new("GET", "/api/v1/queues/{queue}/messages", "Messages from the head of a queue.", BrowseAsync)
        {
            Answer = ApiJson.Default.IReadOnlyListMessageResource,
            Query =
            [
                new("max", "integer", $"How many, 1 to {MessagesMax}, default {MessagesDefault}."),
                new("selector", "string", "Only messages that match this JMS selector."),
            ],
        },
    ];

    private static async Task BrowseAsync(ApiRequest request)
    {
        string queue = request.Segment("queue");
        int max = request.Number("max", MessagesDefault, 1, MessagesMax);
        IReadOnlyList<MessageView> messages =
            await request.Management.BrowseAsync(request.Who, request.Space, queue, max, request.Text("selector"));
        MessageResource[] shown = [.. messages.Select(message => Show(message, request.Services))];
        await request.AnswerAsync(shown, ApiJson.Default.IReadOnlyListMessageResource);
    }

    private static MessageResource Show(MessageView message, ApiServices services)
    {
        PayloadText text = services.DescribePayload(message.Header.Format, message.PayloadHead);
        return new MessageResource
        {
            Id = message.Id,
            State = message.State,
            Durable = message.Header.Durable,
            Priority = message.Header.Priority,
            PublishedAt = Moments.Of(message.Header.PublishedAtMs),
            ExpiresAt = message.Header.ExpiresAtMs > 0 ? Moments.Of(message.Header.ExpiresAtMs) : null,
            DeliveryCount = message.DeliveryCount,
            PayloadBytes = message.BodyBytes,
            PayloadHead = message.PayloadHead,
            Body = text.Body,
            ContentType = text.ContentType,
            Properties = text.Properties,
        };
    }
}
