using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>A sweeper that can be told that something in its tables is due.</summary>
internal interface IOutboxSweeper
{
    /// <summary>Its DbContext.</summary>
    Type Context { get; }

    /// <summary>Whether it wants to be told at all.</summary>
    bool WantsToListen { get; }

    /// <summary>Whether other processes' announcements reach it; while they do not it looks more often.</summary>
    bool Listens { set; }

    /// <summary>Makes it look now.</summary>
    void Look();
}

/// <summary>
/// Hears on PostgreSQL what other processes have left to be sent, with one connection for each database, however many DbContexts share
/// it. It only makes things faster: what it misses is found by the sweepers' own looks, which become frequent while it is deaf.
/// </summary>
internal sealed partial class OutboxListener(IServiceScopeFactory scopes, IEnumerable<IOutboxSweeper> sweepers, TimeProvider time, ILogger<OutboxListener> logger) : BackgroundService
{
    /// <summary>The channel; the payload is the table that holds something, or nothing: everyone looks.</summary>
    public const string Channel = "assay_outbox";

    private const string Proof = "proof ";
    private static readonly TimeSpan ProofPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    // LISTEN that is accepted and then says nothing: a pooler hands the session to others after each transaction. It will not change soon.
    private static readonly TimeSpan DeafPause = TimeSpan.FromMinutes(5);

    private sealed record Member(IOutboxSweeper Sweeper, string Table);

    private sealed record Database(string ConnectionString, string Name, IReadOnlyList<Member> Members);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        await Task.WhenAll((await FindDatabasesAsync()).Select(database => ListenAsync(database, stoppingToken)));
    }

    private async Task<IReadOnlyList<Database>> FindDatabasesAsync()
    {
        await using var scope = scopes.CreateAsyncScope();
        var found = new List<(string Key, string ConnectionString, string Name, Member Member)>();
        foreach (var sweeper in sweepers.Where(sweeper => sweeper.WantsToListen))
        {
            var context = (DbContext)scope.ServiceProvider.GetRequiredService(sweeper.Context);
            var sql = MessagingSql.Of(context);
            if (!sql.Dialect.Notifies || context.Database.GetConnectionString() is not { } connectionString)
                continue;
            // Its own, outside the pool: it lives as long as the process. Keepalives find a connection that died without a word.
            var settings = new NpgsqlConnectionStringBuilder(AssayDatabaseOptionsExtensions.Harden(connectionString)) { Pooling = false, KeepAlive = 15 };
            settings.Options += " -c idle_session_timeout=0";
            found.Add(($"{settings.Host}:{settings.Port}/{settings.Database}/{settings.Username}", settings.ConnectionString, $"{settings.Database} at {settings.Host}:{settings.Port}", new Member(sweeper, sql.Outbox)));
        }

        return [.. found.GroupBy(database => database.Key, (_, all) => all.ToList()).Select(all => new Database(all[0].ConnectionString, all[0].Name, [.. all.Select(one => one.Member)]))];
    }

    private async Task ListenAsync(Database database, CancellationToken stoppingToken)
    {
        var pause = FirstPause;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = new NpgsqlConnection(database.ConnectionString);
                var proof = $"{Proof}{Guid.NewGuid():N}";
                var proven = false;
                connection.Notification += (_, heard) =>
                {
                    if (string.Equals(heard.Payload, proof, StringComparison.Ordinal))
                        proven = true;
                    else
                        Hear(database, heard.Payload);
                };
                await connection.OpenAsync(stoppingToken);
                await ExecuteAsync(connection, $"LISTEN {Channel}", stoppingToken);
                await NotifyAsync(database, proof, stoppingToken);
                var asked = time.GetTimestamp();
                while (!proven && time.GetElapsedTime(asked) < ProofPatience)
                    await connection.WaitAsync(ProofPatience, stoppingToken);
                if (proven)
                {
                    pause = FirstPause;
                    Listening(logger, database.Name);
                    SetListening(database, true);
                    while (true)
                        await connection.WaitAsync(stoppingToken);
                }

                Deaf(logger, database.Name, DeafPause);
                pause = DeafPause;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // The server restarts, refuses, or a network lost the session.
                NotListening(logger, exception, database.Name, pause);
            }

            SetListening(database, false);
            await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private static void Hear(Database database, string payload)
    {
        if (payload.StartsWith(Proof, StringComparison.Ordinal))
            return;
        foreach (var member in database.Members.Where(member => payload.Length == 0 || string.Equals(member.Table, payload, StringComparison.Ordinal)))
            member.Sweeper.Look();
    }

    private static void SetListening(Database database, bool listens)
    {
        foreach (var member in database.Members)
        {
            member.Sweeper.Listens = listens;
            // Either something was missed meanwhile, or the next look must not be far.
            member.Sweeper.Look();
        }
    }

    // Through a connection of its own: a pooler could give the listening session back its own announcement and no other.
    private static async Task NotifyAsync(Database database, string payload, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await ExecuteAsync(connection, $"NOTIFY {Channel}, '{payload}'", cancellationToken);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(LogLevel.Information, "Listening to the database {Database} for messages that other processes leave to be sent")]
    private static partial void Listening(ILogger logger, string database);

    [LoggerMessage(LogLevel.Warning, "The database {Database} does not pass announcements on to this process (is there a pooler in transaction mode before it?); the outbox is looked at more often instead. Trying again in {Pause}")]
    private static partial void Deaf(ILogger logger, string database, TimeSpan pause);

    [LoggerMessage(LogLevel.Warning, "The connection that listens to the database {Database} was lost or refused; the outbox is looked at more often until it is back. Trying again in {Pause}")]
    private static partial void NotListening(ILogger logger, Exception exception, string database, TimeSpan pause);
}
