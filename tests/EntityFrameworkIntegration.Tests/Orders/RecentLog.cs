using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Assay.EntityFrameworkIntegration.Tests.Orders;

/// <summary>The last lines the transport of a host logged, for the message of a test that failed.</summary>
internal sealed class RecentLog : ILoggerProvider
{
    private const int Kept = 200;
    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyCollection<string> Lines => _lines;

    public ILogger CreateLogger(string categoryName) => new Category(this, categoryName);

    public void Dispose() => _lines.Clear();

    private sealed class Category(RecentLog log, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (name is not "MassTransit" and not "Assay.ServiceDefaults.BusRestart")
                return;
            log._lines.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {logLevel}: {formatter(state, exception)} {exception}");
            while (log._lines.Count > Kept)
                log._lines.TryDequeue(out _);
        }
    }
}
