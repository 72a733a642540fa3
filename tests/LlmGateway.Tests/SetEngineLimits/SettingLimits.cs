using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using SetEngineLimitsMessage = Assay.Contracts.Internal.LlmGateway.SetEngineLimits;
using PauseEngineMessage = Assay.Contracts.Internal.LlmGateway.PauseEngine;

namespace Assay.LlmGateway.SetEngineLimits;

public sealed class SettingLimits
{
    [Theory]
    [InlineData(DatabaseProvider.Sqlite)]
    [InlineData(DatabaseProvider.PostgreSql), Trait("Needs", "Servers")]
    public async Task Should_hold_keep_and_record_them(DatabaseProvider provider)
    {
        var engine = new TestEngine(concurrency: 8);
        AssayDatabase database;
        var request = Requests.Audit(Requests.Queries(10));
        await using (var gateway = await GatewayHost.StartAsync(provider, engine))
        {
            database = gateway.Database;
            engine.Behaviour = async (query, _, ct) =>
            {
                await Task.Delay(20, ct);
                return TestEngine.Answer(query);
            };
            var set = await SetAsync(gateway, 2);
            set.MaxConcurrency.ShouldBe(2);
            set.RequestsPerMinute.ShouldBe(500);
            set.ConfiguredLimits!.MaxConcurrency.ShouldBe(8);
            (set.LimitsSetBy, set.LimitsReason).ShouldBe(("operator", "test"));
            // This instance may have become an owner, which keeps nothing yet, just before the answer.
            await UntilAsync(gateway, shown => shown.InstancesBehind == 0);

            await gateway.OpenAsync(Requests.Open(request));
            await gateway.AskAsync(Requests.Ask(request));
            engine.MostAtOnce.ShouldBe(2);

            // Said twice, recorded once.
            await SetAsync(gateway, 2);
            var list = await ListAsync(gateway);
            list.Changes.ShouldHaveSingleItem().Detail.ShouldBe("2 at once, 500 requests and any number of tokens a minute");
            var shown = list.Engines.ShouldHaveSingleItem();
            (shown.State, shown.OnTheWire, shown.Waiting, shown.RequestsInLastMinute, shown.TokensInLastMinute).ShouldBe(("ready", 0, 0, 10, 150));
        }

        await using var restarted = await GatewayHost.StartOnAsync(database, engine);
        (await ListAsync(restarted)).Engines.ShouldHaveSingleItem().MaxConcurrency.ShouldBe(2);
        var back = await SetAsync(restarted, null, null);
        (back.MaxConcurrency, back.RequestsPerMinute, back.LimitsSetBy).ShouldBe((8, null, null));
    }

    [Fact]
    public async Task Should_refuse_what_cannot_be_meant()
    {
        await using var gateway = await GatewayHost.StartAsync(DatabaseProvider.Sqlite, new TestEngine());
        var client = gateway.Bus.CreateRequestClient<SetEngineLimitsMessage>();
        (await client.GetResponse<EngineList, EngineNotChanged>(Limits("nobody", 2, null))).Is<EngineNotChanged>(out var unknown).ShouldBeTrue();
        unknown!.Message.Detail.ShouldContain("Configured are: test");
        (await client.GetResponse<EngineList, EngineNotChanged>(Limits("test", 0, null))).Is<EngineNotChanged>(out var none).ShouldBeTrue();
        none!.Message.Detail.ShouldContain("pause");
        (await client.GetResponse<EngineList, EngineNotChanged>(Limits("test", 2, null) with { Reason = " " })).Is<EngineNotChanged>(out _).ShouldBeTrue();
        (await ListAsync(gateway)).Changes.ShouldBeEmpty();
    }

    /// <summary>A limit below the number of instances leaves one of them no part: what it holds must go to the other.</summary>
    [Fact]
    [Trait("Needs", "Servers")]
    public async Task Should_be_shared_by_all_instances_and_strand_no_call()
    {
        var engine = new TestEngine(concurrency: 8);
        var gate = new TaskCompletionSource();
        engine.Behaviour = async (query, _, ct) =>
        {
            await gate.Task.WaitAsync(ct);
            await Task.Delay(5, ct);
            return TestEngine.Answer(query);
        };
        var database = await GatewayHost.NewPostgresAsync();
        await using var one = await GatewayHost.StartOnAsync(database, engine);
        await using var other = await GatewayHost.StartOnAsync(database, engine);
        // Each knows the other before there is work.
        await BothRenewAsync(one, 2);
        var request = Requests.Audit(Requests.Queries(40));
        await one.OpenAsync(Requests.Open(request));
        await one.Bus.Publish(Requests.Ask(request));
        // Both have taken their part: four each on the wire, more waiting in their lanes.
        await UntilAsync(one, engine => engine.OnTheWire == 8);

        await SetAsync(one, 1);
        await UntilAsync(one, engine => engine is { InstancesBehind: 0, MaxConcurrency: 1 });
        gate.SetResult();
        while (one.Of<EngineAnswered>(request.AuditId).Count + other.Of<EngineAnswered>(request.AuditId).Count == 0)
            await UntilAsync(one, engine => engine.OnTheWire <= 1);
        var answered = one.Of<EngineAnswered>(request.AuditId).Concat(other.Of<EngineAnswered>(request.AuditId)).ShouldHaveSingleItem();
        answered.Answers.ShouldAllBe(answer => answer.State == CallStates.Answered);
        engine.Received.Count.ShouldBe(40);
        await one.ShouldBalanceAsync();
    }

    /// <summary>Who was alone may have the whole limit on the wire: an instance that joins sends nothing until that has shrunk.</summary>
    [Fact]
    [Trait("Needs", "Servers")]
    public async Task Should_not_be_exceeded_by_an_instance_that_joins()
    {
        var engine = new TestEngine(concurrency: 8);
        var gate = new TaskCompletionSource();
        engine.Behaviour = async (query, _, ct) =>
        {
            await gate.Task.WaitAsync(ct);
            await Task.Delay(5, ct);
            return TestEngine.Answer(query);
        };
        var database = await GatewayHost.NewPostgresAsync();
        await using var one = await GatewayHost.StartOnAsync(database, engine);
        var request = Requests.Audit(Requests.Queries(40));
        await one.OpenAsync(Requests.Open(request));
        await one.Bus.Publish(Requests.Ask(request));
        await UntilAsync(one, shown => shown.OnTheWire == 8);

        await using var other = await GatewayHost.StartOnAsync(database, engine);
        // Time enough for the one to say what it holds, and for the other to take what it may.
        await BothRenewAsync(other, 2);
        engine.MostAtOnce.ShouldBe(8);
        gate.SetResult();
        await GatewayHost.EventuallyAsync(() => one.Of<EngineAnswered>(request.AuditId).Concat(other.Of<EngineAnswered>(request.AuditId)).SingleOrDefault());
        engine.MostAtOnce.ShouldBe(8);
        engine.Received.Count.ShouldBe(40);
        await BothRenewAsync(other, 2);
        (await one.QueryAsync(ledger => ledger.Instances.Select(instance => instance.Divisor).ToListAsync())).ShouldBe([2, 2]);
    }

    [Theory]
    [InlineData(DatabaseProvider.Sqlite)]
    [InlineData(DatabaseProvider.PostgreSql), Trait("Needs", "Servers")]
    public async Task Should_show_who_paused_an_engine_and_why_its_breaker_is_open(DatabaseProvider provider)
    {
        var engine = new TestEngine(maxTries: 1) { Behaviour = (_, _, _) => Task.FromResult(TestEngine.Busy()) };
        await using var gateway = await GatewayHost.StartAsync(provider, engine, ("LlmGateway:BreakerMinimumThroughput", "2"), ("LlmGateway:FirstBackoff", "00:00:00.001"));
        var request = Requests.Audit(Requests.Queries(6));
        await gateway.OpenAsync(Requests.Open(request));
        await gateway.Bus.Publish(Requests.Ask(request));
        await UntilAsync(gateway, shown => shown is { State: "breaker open", BreakersOpen: 1, BreakerUntil: not null });

        var paused = (await gateway.Bus.CreateRequestClient<PauseEngineMessage>().GetResponse<EngineList>(new PauseEngineMessage { Engine = "TEST", Reason = "too dear", RequestedBy = "operator" })).Message.Engines.ShouldHaveSingleItem();
        (paused.State, paused.PausedBy, paused.PauseReason).ShouldBe(("paused", "operator", "too dear"));
        paused.PausedAt.ShouldNotBeNull();
        var resumed = (await gateway.Bus.CreateRequestClient<ResumeEngine>().GetResponse<EngineList>(new ResumeEngine { Engine = "test", RequestedBy = "operator" })).Message;
        resumed.Engines.ShouldHaveSingleItem().PausedBy.ShouldBeNull();
        resumed.Changes.Select(change => change.Change).ShouldBe([EngineChanges.Resumed, EngineChanges.Paused]);
    }

    [Theory]
    [InlineData(DatabaseProvider.Sqlite)]
    [InlineData(DatabaseProvider.PostgreSql), Trait("Needs", "Servers")]
    public async Task Should_report_spending_by_engine_and_day(DatabaseProvider provider)
    {
        var engine = new TestEngine { Behaviour = (query, _, _) => Task.FromResult(query.EndsWith('1') ? TestEngine.Unknown : query.EndsWith('2') ? TestEngine.Rejected : TestEngine.Answer(query)) };
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        var request = Requests.Audit(["query 1", "query 2", "query 3"]);
        await gateway.OpenAsync(Requests.Open(request));
        await gateway.AskAsync(Requests.Ask(request));

        var client = gateway.Bus.CreateRequestClient<GetSpending>();
        var day = (await client.GetResponse<SpendingStatus>(new GetSpending { Days = 7 })).Message.ByDay.ShouldHaveSingleItem();
        var worst = engine.Definition.WorstCaseMicroUsd(engine.Render(new EngineRequest { Text = "query 1", Purpose = Purposes.Answer }));
        (day.Engine, day.Tries, day.PaidTries, day.SpentMicroUsd, day.InDoubtMicroUsd, day.ReservedMicroUsd).ShouldBe(("test", 3, 2, worst + 105, worst, 0));
        (await client.GetResponse<SpendingStatus>(new GetSpending())).Message.ByDay.ShouldBeEmpty();
        (await client.GetResponse<SpendingStatus>(new GetSpending { Days = 7, AuditId = Guid.NewGuid() })).Message.ByDay.ShouldBeEmpty();
    }

    static async Task<EngineInfo> SetAsync(GatewayHost gateway, int? concurrency, int? requests = 500) =>
        (await gateway.Bus.CreateRequestClient<SetEngineLimitsMessage>().GetResponse<EngineList>(Limits("test", concurrency, requests))).Message.Engines.ShouldHaveSingleItem();

    static async Task<EngineList> ListAsync(GatewayHost gateway) => (await gateway.Bus.CreateRequestClient<GetEngines>().GetResponse<EngineList>(new GetEngines())).Message;

    /// <summary>Waits until two instances are owners, which they become in the background, and each has renewed its lease so often.</summary>
    static async Task BothRenewAsync(GatewayHost gateway, int times)
    {
        for (var renewed = DateTime.MinValue; times >= 0; times--)
            renewed = (await GatewayHost.EventuallyAsync(() => gateway.QueryAsync(ledger => ledger.Instances.Select(instance => instance.LeaseUntil).ToListAsync()),
                leases => leases.Count == 2 && leases.Min() > renewed)).Max();
    }

    static Task UntilAsync(GatewayHost gateway, Func<EngineInfo, bool> reached) =>
        GatewayHost.EventuallyAsync(async () => (await ListAsync(gateway)).Engines.ShouldHaveSingleItem(), reached);

    static SetEngineLimitsMessage Limits(string engine, int? concurrency, int? requests) => new() { Engine = engine, MaxConcurrency = concurrency, RequestsPerMinute = requests, Reason = "test", RequestedBy = "operator" };
}
