using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace EdgeSplit.Transport.Tests;

/// <summary>Passes one TCP connection on, one way as slowly as it is told to: it reads no faster, and has little room for what it has not read.</summary>
internal sealed class SlowProxy : IAsyncDisposable
{
    private const int BufferBytes = 32 * 1024;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _lifetime = new();
    private readonly Task _running;
    private long _bytesPerSecond = long.MaxValue;

    public SlowProxy(EndPoint target)
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        EndPoint = _listener.LocalEndPoint!;
        _running = RunAsync(target);
    }

    /// <summary>Where it listens.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>How fast the target's bytes pass.</summary>
    public long BytesPerSecond
    {
        get => Volatile.Read(ref _bytesPerSecond);
        set => Volatile.Write(ref _bytesPerSecond, value);
    }

    public async ValueTask DisposeAsync()
    {
        await _lifetime.CancelAsync();
        _listener.Dispose();
        await _running;
        _lifetime.Dispose();
    }

    private async Task RunAsync(EndPoint target)
    {
        try
        {
            using Socket near = await _listener.AcceptAsync(_lifetime.Token);
            using var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = BufferBytes };
            near.NoDelay = true;
            await far.ConnectAsync(target, _lifetime.Token);
            await Task.WhenAny(PassAsync(near, far, static () => long.MaxValue), PassAsync(far, near, () => BytesPerSecond));
            near.Close();
            far.Close();
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One of the three has ended.
        }
    }

    private async Task PassAsync(Socket from, Socket to, Func<long> rate)
    {
        byte[] buffer = new byte[BufferBytes];
        try
        {
            // When what has passed so far should have, so that timers that come late do not add up.
            long due = Stopwatch.GetTimestamp();
            while (true)
            {
                long bytesPerSecond = rate();
                int most = (int)Math.Min(buffer.Length, bytesPerSecond == long.MaxValue ? buffer.Length : bytesPerSecond * Tick.TotalSeconds);
                int count = await from.ReceiveAsync(buffer.AsMemory(0, most), _lifetime.Token);
                if (count == 0)
                    return;
                for (int sent = 0; sent < count;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), _lifetime.Token);
                long now = Stopwatch.GetTimestamp();
                due = bytesPerSecond == long.MaxValue ? now : Math.Max(due, now - (Stopwatch.Frequency / 10)) + (count * Stopwatch.Frequency / bytesPerSecond);
                if (due > now)
                    await Task.Delay(Stopwatch.GetElapsedTime(now, due), _lifetime.Token);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One of the three has ended.
        }
    }
}
