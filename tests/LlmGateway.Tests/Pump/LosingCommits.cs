using System.Collections.Concurrent;
using System.Text;
using System.Text.RegularExpressions;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;
using Assay.TestServers;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit.Abstractions;

namespace Assay.LlmGateway.Pump;

/// <summary>The connection to the database is lost exactly at a COMMIT: nobody tells the gateway whether it happened.</summary>
[Trait("Needs", "Servers")]
public sealed partial class LosingCommits(ITestOutputHelper output)
{
    const string Intent = "UPDATE paid_call SET state = 'Sending'";
    const string Outcome = "UPDATE paid_call SET state = new_state";
    const string Claim = "UPDATE paid_call SET owner = taken_by";
    const string Ask = "INSERT INTO paid_call";

    [Theory]
    [InlineData(Cut.AfterFarEnd, Intent, Outcome)]
    [InlineData(Cut.BeforeFarEnd, Intent, Outcome)]
    [InlineData(Cut.AfterFarEnd, Claim)]
    [InlineData(Cut.BeforeFarEnd, Claim)]
    [InlineData(Cut.AfterFarEnd, Ask)]
    [InlineData(Cut.BeforeFarEnd, Ask)]
    public async Task Should_send_and_count_every_call_once(Cut cut, params string[] statements)
    {
        const int calls = 200;
        // Of the batches the first one is spared: it shows that this instance is alone, so that the others' calls are its own from the start.
        var cuts = statements.Contains(Ask) ? 1 : 5;
        var direct = await (await PrivatePostgres.Shared).CreateDatabaseAsync("gateway");
        await using var link = new FaultyLink(new NpgsqlConnectionStringBuilder(direct).Port);
        var commits = new CommitWatch(cut, cuts, statements);
        link.Watch = commits.Look;

        var sent = new ConcurrentQueue<Guid?>();
        var engine = new TestEngine(concurrency: 16);
        engine.Behaviour = async (query, number, ct) =>
        {
            sent.Enqueue(await SendingTryAsync(direct, engine.Received.Last(received => received.Query == query).Key));
            await Task.Delay(10, ct);
            return number == 1 && IsBusy(query) ? TestEngine.Busy() : TestEngine.Answer(query);
        };
        var through = new NpgsqlConnectionStringBuilder(direct) { Port = link.Port }.ConnectionString;
        await using var gateway = await GatewayHost.StartOnAsync(AssayDatabase.PostgreSql(through), engine, ("LlmGateway:FirstBackoff", "00:00:00.020"), ("LlmGateway:BreakerMinimumThroughput", "1000"));
        // Where money is short calls are claimed one claim after the other; where it is not they are owned from the start.
        var request = Requests.Audit([.. Enumerable.Range(1000, calls).Select(i => $"best earbuds {i}")], ceilingUsd: statements.Contains(Claim) ? 0.1m : 5);
        await gateway.OpenAsync(Requests.Open(request));
        await gateway.AskAsync(Requests.Ask(request, queries: [request.Queries![0]]));

        var answers = (await Task.WhenAll(Requests.AskAll(request).Select(gateway.AskAsync))).SelectMany(answered => answered.Answers).ToList();

        output.WriteLine($"{commits.Done} commits cut of {commits.Seen}, {engine.Received.Count} sent");
        commits.Done.ShouldBe(cuts, "a commit with these statements was cut each time");
        answers.ShouldAllBe(answer => answer.State == CallStates.Answered && answer.CostMicroUsd == 105 && answer.PaidTries == 1);
        sent.ShouldAllBe(attempt => attempt != null, "nothing leaves that the database does not call Sending");
        sent.Distinct().Count().ShouldBe(sent.Count, "no try is sent twice");
        engine.Received.GroupBy(received => received.Query).ShouldAllBe(one => one.Count() == (IsBusy(one.Key) ? 2 : 1));
        engine.MostAtOnce.ShouldBeLessThanOrEqualTo(16);
        await gateway.CloseAsync(request.AuditId);
        (await gateway.SpendingAsync(Scopes.Audit(request.AuditId))).ShouldSatisfyAllConditions(
            row => row.SpentMicroUsd.ShouldBe(105 * calls), row => row.ReservedMicroUsd.ShouldBe(0), row => row.OverrunMicroUsd.ShouldBe(0));
        await gateway.ShouldBalanceAsync();
    }

    /// <summary>An owner of whom nobody knows would keep its share of every limit until its lease ends, and whoever registers next from sending.</summary>
    [Theory]
    [InlineData(Cut.AfterFarEnd)]
    [InlineData(Cut.BeforeFarEnd)]
    public async Task Should_leave_no_owner_that_others_wait_for(Cut cut)
    {
        var direct = await (await PrivatePostgres.Shared).CreateDatabaseAsync("gateway");
        await using var link = new FaultyLink(new NpgsqlConnectionStringBuilder(direct).Port);
        var commits = new CommitWatch(cut, 1, ["INSERT INTO gateway_instance"], spared: 0);
        link.Watch = commits.Look;
        var through = new NpgsqlConnectionStringBuilder(direct) { Port = link.Port }.ConnectionString;
        // Beside another one that is alive, a lock that was left counts only after a whole lease.
        await using var other = await GatewayHost.StartOnAsync(AssayDatabase.PostgreSql(direct), new TestEngine());
        await GatewayHost.EventuallyAsync(() => LivingAsync(other), living => living == 1);
        await using var gateway = await GatewayHost.StartOnAsync(AssayDatabase.PostgreSql(through), new TestEngine());

        await GatewayHost.EventuallyAsync(() => other.QueryAsync(ledger => ledger.Instances.Where(instance => instance.DeadAt == null).Select(instance => instance.Divisor).ToListAsync()),
            divisors => divisors is [2, 2]);

        commits.Done.ShouldBe(1);

        static Task<int> LivingAsync(GatewayHost gateway) => gateway.QueryAsync(ledger => ledger.Instances.CountAsync(instance => instance.DeadAt == null));
    }

    /// <summary>
    /// Who got no processor for as long as a transaction may be idle finds its session ended. That says nothing against the answer in it, which
    /// was given up, paid for and without its text, once it had been refused three times.
    /// </summary>
    [Fact]
    public async Task Should_keep_an_answers_text_however_often_its_session_is_ended()
    {
        const int ends = 7;
        var direct = await (await PrivatePostgres.Shared).CreateDatabaseAsync("gateway");
        await using var link = new FaultyLink(new NpgsqlConnectionStringBuilder(direct).Port);
        var ended = 0;
        var settling = new ConcurrentDictionary<int, bool>();
        // What follows the outcome in its transaction comes too late.
        link.Watch = (connection, bytes) =>
        {
            if (Encoding.Latin1.GetString(bytes.Span).Contains(Outcome, StringComparison.Ordinal))
                settling[connection] = true;
            else if (settling.TryRemove(connection, out _) && Interlocked.Increment(ref ended) <= ends)
                return Cut.NowhereButLate;
            return Cut.Nowhere;
        };
        var through = new NpgsqlConnectionStringBuilder(direct) { Port = link.Port, Options = "-c idle_in_transaction_session_timeout=500" }.ConnectionString;
        await using var gateway = await GatewayHost.StartOnAsync(AssayDatabase.PostgreSql(through), new TestEngine());
        var request = Requests.Audit(["best earbuds"]);
        await gateway.OpenAsync(Requests.Open(request));

        var ask = Requests.AskAll(request).Single();
        await gateway.Bus.Publish(ask);
        // Each end takes a second, and the writer's pauses grow to two.
        var answer = (await Heard.EventuallyAsync(() => gateway.Of<EngineAnswered>(request.AuditId).FirstOrDefault(), TimeSpan.FromMinutes(2))).Answers.Single();

        ended.ShouldBeGreaterThan(ends);
        answer.State.ShouldBe(CallStates.Answered);
        answer.Text.ShouldNotBeNullOrEmpty();
        await gateway.ShouldBalanceAsync();
    }

    static bool IsBusy(string query) => query[^1] is '3' or '7';

    /// <summary>The try that the database calls Sending for this key, read past the link.</summary>
    static async Task<Guid?> SendingTryAsync(string database, string callKey)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT try_id FROM every_try WHERE call_key = $1 AND state = 'Sending'", connection);
        command.Parameters.Add(new NpgsqlParameter { Value = callKey });
        return (Guid?)await command.ExecuteScalarAsync();
    }

    /// <summary>Reads PostgreSQL's protocol as far as needed to know which statements a COMMIT is about.</summary>
    sealed partial class CommitWatch(Cut cut, int cuts, string[] statements, int spared = 1)
    {
        readonly ConcurrentDictionary<int, Session> _sessions = new();
        int _seen;
        int _done;

        public int Seen => _seen;
        public int Done => _done;

        public Cut Look(int connection, ReadOnlyMemory<byte> bytes)
        {
            var session = _sessions.GetOrAdd(connection, _ => new Session());
            var text = Encoding.Latin1.GetString(bytes.Span);
            session.Said.Append(text);
            if (!text.EndsWith("COMMIT\0", StringComparison.Ordinal))
                return Cut.Nowhere;
            var said = session.Said.ToString();
            session.Said.Clear();
            foreach (Match prepared in Preparing().Matches(said))
                session.Prepared[prepared.Groups["name"].Value] = prepared.Groups["text"].Value;
            var isMeant = statements.All(statement => said.Contains(statement, StringComparison.Ordinal)
                || session.Prepared.Any(prepared => prepared.Value.StartsWith(statement, StringComparison.Ordinal) && said.Contains($"\0{prepared.Key}\0", StringComparison.Ordinal)));
            // Some are spared before each cut, so that what one left behind is also committed in peace.
            if (!isMeant || Interlocked.Increment(ref _seen) % (spared + 1) != 0 || _done >= cuts)
                return Cut.Nowhere;
            Interlocked.Increment(ref _done);
            return cut;
        }

        /// <summary>A statement is sent once with its name, and by its name alone after that.</summary>
        [GeneratedRegex(@"(?<name>_auto\d+)\0\s*(?<text>[A-Z][^\0]{10,80})", RegexOptions.ExplicitCapture, 1000)]
        private static partial Regex Preparing();

        sealed class Session
        {
            public StringBuilder Said { get; } = new();
            public Dictionary<string, string> Prepared { get; } = new(StringComparer.Ordinal);
        }
    }
}
