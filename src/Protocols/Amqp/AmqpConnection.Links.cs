using System.Collections.Concurrent;

namespace Pillarbox.Protocols.Amqp;

/// <content>Links that other connections of the same container take over.</content>
internal sealed partial class AmqpConnection
{
    // Made for the first: an empty one takes a tenth of what an idle connection may.
    private ConcurrentQueue<(LinkKey Link, TaskCompletionSource Done)>? _linksToGiveUp;
    private volatile bool _isOver;

    /// <inheritdoc/>
    public Task GiveUpAsync(LinkKey link)
    {
        if (_isOver)
        {
            return Task.CompletedTask;
        }

        // Its continuation is the other loop's wake: short, and fit to run here.
        var done = new TaskCompletionSource();
        LazyInitializer.EnsureInitialized(ref _linksToGiveUp, static () => new()).Enqueue((link, done));
        Wake();
        if (_isOver)
        {
            // The loop may have looked for the last time before.
            GiveUpAll();
        }

        return done.Task;
    }

    private void GiveUpLinks()
    {
        if (_isOver)
        {
            GiveUpAll();
            return;
        }

        if (_linksToGiveUp is not { IsEmpty: false } asked)
        {
            return;
        }

        (LinkKey Link, TaskCompletionSource Done)[] requests = [.. asked];
        foreach ((LinkKey link, _) in requests)
        {
            asked.TryDequeue(out _);
            _endpoint.Names.GiveUp(link);
        }

        // The broker must know before the other connection goes on.
        if (_endpoint.HasClient)
        {
            _endpoint.Client.Flush();
        }

        foreach ((_, TaskCompletionSource done) in requests)
        {
            done.SetResult();
        }
    }

    // The connection is over, and its links with it.
    private void GiveUpAll()
    {
        while (_linksToGiveUp is { } asked
            && asked.TryDequeue(out (LinkKey Link, TaskCompletionSource Done) request))
        {
            request.Done.SetResult();
        }
    }
}
