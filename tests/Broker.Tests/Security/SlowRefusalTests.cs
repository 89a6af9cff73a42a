using System.Text;
using System.Threading.Channels;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Security;

/// <summary>Who is refused hears so after a while, whatever the mechanism.</summary>
public sealed class SlowRefusalTests : IDisposable
{
    private static readonly SaslContext Trusted = new() { AllowPlain = true, AllowAnonymous = true };

    private readonly TimerClock _clock = new();
    private readonly UserStore _users;
    private readonly SaslServers _servers;

    public SlowRefusalTests()
    {
        _users = UserStore.Open(new UserStoreOptions
        {
            FileSystem = new MemoryFileSystem(),
            Path = "data/users.json",
            Random = new SeededRandom(1),
            PlainIterations = 2,
            ScramIterations = ScramHash.IterationsMin,
        });
        _users.Add("ann", new Secret("right"), []);
        _servers = new SaslServers(_users, new SeededRandom(2)) { RefusalDelayMs = 100, Time = _clock };
    }

    public void Dispose() => _users.Dispose();

    [Theory]
    [InlineData("PLAIN", "\0ann\0wrong")]
    [InlineData("PLAIN", "\0nobody\0right")]
    [InlineData("PLAIN", "malformed")]
    [InlineData("SCRAM-SHA-256", "p=tls-unique,,n=ann,r=x")]
    public async Task A_refusal_waits_for_the_clock(string mechanism, string response)
    {
        using ISaslServer server = _servers.Create(mechanism, Trusted)!;
        Assert.Equal(SaslStatus.Verify, server.Step(Encoding.UTF8.GetBytes(response)).Status);
        Task<SaslStep> refusal = server.VerifyAsync(CancellationToken.None).AsTask();
        TimerClock.Timer timer = await _clock.NextAsync();
        Assert.Equal(TimeSpan.FromMilliseconds(100), timer.Due);
        Assert.False(refusal.IsCompleted);
        timer.Fire();
        Assert.Equal(SaslStatus.Failed, (await refusal).Status);
        Assert.Equal(SaslStatus.Failed, server.Step("again"u8).Status);
    }

    [Fact]
    public async Task Who_is_let_in_does_not_wait()
    {
        using ISaslServer server = _servers.Create("PLAIN", Trusted)!;
        Assert.Equal(SaslStatus.Verify, server.Step("\0ann\0right"u8).Status);
        Assert.Equal(SaslStatus.Succeeded, (await server.VerifyAsync(CancellationToken.None)).Status);
        using ISaslServer nobody = _servers.Create("ANONYMOUS", Trusted)!;
        Assert.Equal(SaslStatus.Succeeded, nobody.Step(default).Status);
        Assert.Equal(0, _clock.Count);
    }

    [Fact]
    public async Task A_connection_that_is_gone_does_not_wait()
    {
        using ISaslServer server = _servers.Create("PLAIN", Trusted)!;
        server.Step("malformed"u8);
        using var gone = new CancellationTokenSource();
        Task<SaslStep> refusal = server.VerifyAsync(gone.Token).AsTask();
        await _clock.NextAsync();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => refusal);
    }

    [Fact]
    public void Who_logs_in_again_hears_at_once()
    {
        using ISaslServer server = _servers.Create("PLAIN", Trusted with { RefusesAtOnce = true })!;
        Assert.Equal(SaslStatus.Failed, server.Step("malformed"u8).Status);
    }

    /// <summary>A clock whose timers go off when a test says so.</summary>
    private sealed class TimerClock : TimeProvider
    {
        private readonly Channel<Timer> _made = Channel.CreateUnbounded<Timer>();

        private int _count;

        public int Count => Volatile.Read(ref _count);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new Timer(callback, state, dueTime);
            Interlocked.Increment(ref _count);
            _made.Writer.TryWrite(timer);
            return timer;
        }

        public async Task<Timer> NextAsync()
        {
            using var cancellation = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            return await _made.Reader.ReadAsync(cancellation.Token);
        }

        internal sealed class Timer(TimerCallback callback, object? state, TimeSpan due) : ITimer
        {
            public TimeSpan Due => due;

            public void Fire() => callback(state);

            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
