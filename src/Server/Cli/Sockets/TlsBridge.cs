using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Pillarbox.Protocols.Amqp.Client;

namespace Pillarbox.Server.Cli.Sockets;

/// <summary>
/// What a client trusts and shows. Paths are of PEM files; null means the system's trust, no certificate.
/// </summary>
internal sealed record TlsOptions(string? TrustFile = null, string? CertificateFile = null, string? KeyFile = null);

/// <summary>
/// Puts TLS between a socket that never blocks and its user. The record layer is the framework's <see
/// cref="SslStream"/>
/// over two buffers in memory: its reads complete, on the caller's own thread, when received bytes are handed in.
/// </summary>
internal sealed class TlsBridge : IDisposable
{
    private readonly BridgeStream _inner = new();
    private readonly SslStream _tls;
    private readonly byte[] _plain = new byte[32 * 1024];
    private Task<int>? _read;

    public TlsBridge() => _tls = new SslStream(_inner, leaveInnerStreamOpen: false);

    /// <summary>Encrypted bytes to send; the sender calls <see cref="Sent"/>.</summary>
    public ReadOnlySpan<byte> ToSend => _inner.ToSend;

    public void Sent(int count) => _inner.Sent(count);

    /// <summary>Starts the handshake; it goes on with each <see cref="Received"/> until the task completes.</summary>
    public Task HandshakeAsync(string host, TlsOptions options)
    {
        var authentication = new SslClientAuthenticationOptions
        {
            TargetHost = host,
            CertificateChainPolicy = TrustOnly(options.TrustFile),
            ClientCertificates = OwnCertificate(options),
        };
        return _tls.AuthenticateAsClientAsync(authentication);
    }

    /// <summary>Hands in encrypted bytes as they came from the socket.</summary>
    public void Received(ReadOnlySpan<byte> bytes) => _inner.Received(bytes);

    /// <summary>Encrypts bytes into <see cref="ToSend"/>.</summary>
    public void Write(ReadOnlySpan<byte> bytes) => _tls.Write(bytes);

    /// <summary>Takes decrypted bytes: -1 when none are there yet, 0 when the peer has ended.</summary>
    public int Read(Span<byte> into)
    {
        _read ??= _tls.ReadAsync(_plain, 0, Math.Min(_plain.Length, into.Length));
        if (!_read.IsCompleted)
        {
            return -1;
        }
        int count = _read.GetAwaiter().GetResult();
        _read = null;
        _plain.AsSpan(0, count).CopyTo(into);
        return count;
    }

    public void Dispose() => _tls.Dispose();

    private static X509ChainPolicy? TrustOnly(string? file)
    {
        if (file is null)
        {
            return null;
        }
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.ImportFromPemFile(file);
        return policy;
    }

    private static X509CertificateCollection? OwnCertificate(TlsOptions options) => options.CertificateFile is null
        ? null
        : [X509Certificate2.CreateFromPemFile(options.CertificateFile, options.KeyFile)];

    /// <summary>The encrypted side: two buffers instead of a socket.</summary>
    private sealed class BridgeStream : Stream
    {
        private readonly ByteQueue _incoming = new();
        private readonly ByteQueue _outgoing = new();
        private TaskCompletionSource<int>? _waiting;
        private Memory<byte> _wanted;

        public ReadOnlySpan<byte> ToSend => _outgoing.Bytes;

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public void Sent(int count) => _outgoing.Take(count);

        /// <summary>Zero bytes mean that the peer has ended.</summary>
        public void Received(ReadOnlySpan<byte> bytes)
        {
            _incoming.Append(bytes);
            if (_waiting is { } waiting)
            {
                _waiting = null;
                waiting.SetResult(Take(_wanted.Span));
            }
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (buffer.IsEmpty || !_incoming.Bytes.IsEmpty)
            {
                return new(Take(buffer.Span));
            }
            _wanted = buffer;
            _waiting = new TaskCompletionSource<int>();
            return new(_waiting.Task);
        }

        public override int Read(byte[] buffer, int offset, int count) => Take(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer) => _outgoing.Append(buffer);

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Write(buffer.Span);
            return default;
        }

        public override void Flush()
        {
            // What is written is in the buffer at once.
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        private int Take(Span<byte> into)
        {
            int count = Math.Min(into.Length, _incoming.Bytes.Length);
            _incoming.Bytes[..count].CopyTo(into);
            _incoming.Take(count);
            return count;
        }
    }
}
