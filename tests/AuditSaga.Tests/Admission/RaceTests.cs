using System.Globalization;
using Assay.AuditSaga.Audits;
using Assay.Contracts;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using Assay.TestServers;
using Microsoft.EntityFrameworkCore;

namespace Assay.AuditSaga.Tests.Admission;

/// <summary>
/// Two instances of the saga on one PostgreSQL database: only the database can decide between them. Most races run on a broker, where the
/// instances compete for one queue; those in which each must hear the same have a bus of its own for each.
/// </summary>
[Trait("Needs", "Servers")]
public class When_two_instances_decide_at_the_same_instant
{
    const int Rivals = 8;

    /// <summary>Two instances; what is said to one or both goes out at once, and is heard twice where each has its own bus.</summary>
    sealed class Pair(SagaHost a, SagaHost b) : IAsyncDisposable
    {
        public SagaHost A { get; } = a;
        public Others Others => A.Others;

        /// <summary>Everything at the same instant, half of it by each instance.</summary>
        public Task SendAsync<T>(IReadOnlyList<T> messages) where T : class => Task.WhenAll(messages.Select((message, i) => (i % 2 == 0 ? A : b).SendAsync(message)));

        /// <summary>Waits until each of these audits is in one of these states.</summary>
        public async Task<IReadOnlyList<AuditState>> UntilAsync(IEnumerable<Guid> audits, params string[] states)
        {
            List<AuditState> rows = [];
            foreach (var id in audits)
                rows.Add(await A.UntilAsync(id, row => states.Contains(row.CurrentState, StringComparer.Ordinal)));
            return rows;
        }

        public async Task<IReadOnlyList<AuditState>> UntilAsync(IEnumerable<RequestAudit> requests, params string[] states) => await UntilAsync(requests.Select(request => request.AuditId), states);

        /// <summary>Leads one audit to a state, alone.</summary>
        public async Task<Guid> LeadAsync(RequestAudit request, string state)
        {
            await A.SendAsync(request);
            await A.UntilAsync(request.AuditId, row => row.CurrentState == state);
            return request.AuditId;
        }

        /// <summary>Waits until so many refusals of these audits were heard for a reason.</summary>
        public async Task<IReadOnlyList<AuditRejected>> UntilRefusedAsync(int count, string reason, params IReadOnlyCollection<Guid> audits)
        {
            var giveUp = DateTime.UtcNow.AddSeconds(30);
            while (true)
            {
                var heard = Others.All<AuditRejected>().Where(one => audits.Contains(one.AuditId)).ToList();
                var refused = heard.Where(one => one.Reason == reason).ToList();
                if (refused.Count >= count)
                    return refused;
                if (DateTime.UtcNow > giveUp)
                    throw new TimeoutException($"{refused.Count} of {count} refusals for {reason} were heard in 30 s, of all: {string.Join(", ", heard.Select(one => one.Reason))}");
                await Task.Delay(20);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await b.DisposeAsync();
            await A.DisposeAsync();
        }
    }

    static readonly string[] Decided = [AuditStates.Admitting, AuditStates.Rejected];

    /// <summary>Two instances that compete for the queues of one broker.</summary>
    /// <param name="silent">The command that nobody answers, so that admitted audits stay where they are.</param>
    static async Task<Pair> StartAsync(Type? silent, params string[] settings)
    {
        var broker = await PrivateRabbitMq.Shared;
        return await StartOnAsync(silent,
        [
            $"RabbitMq:Host={broker.Host}", $"RabbitMq:Port={broker.Port.ToString(CultureInfo.InvariantCulture)}", $"RabbitMq:VirtualHost={await broker.CreateVirtualHostAsync("race")}",
            $"RabbitMq:Username={broker.Username}", $"RabbitMq:Password={broker.Password}", .. settings,
        ]);
    }

    /// <summary>Two instances with a bus of its own for each.</summary>
    static Task<Pair> StartApartAsync(Type? silent) => StartOnAsync(silent, []);

    static async Task<Pair> StartOnAsync(Type? silent, string[] settings)
    {
        var database = AssayDatabase.PostgreSql(await (await PrivatePostgres.Shared).CreateDatabaseAsync("race"));
        var others = new Others();
        if (silent is not null)
            others.Silent[silent] = true;
        var a = await SagaHost.StartAsync(database, others, settings);
        return new Pair(a, await SagaHost.StartAsync(database, others, settings));
    }

    static IReadOnlyList<T> Many<T>(int count, Func<int, T> one) => [.. Enumerable.Range(0, count).Select(one)];

    [Fact]
    public async Task Should_admit_one_audit_of_a_brand_kind_and_panel()
    {
        await using var pair = await StartAsync(typeof(OpenBudget));
        var requests = Many(12, _ => Given.Request());
        await pair.SendAsync(requests);

        var rows = await pair.UntilAsync(requests, Decided);
        var admitted = rows.Where(row => row.CurrentState == AuditStates.Admitting).ShouldHaveSingleItem();
        rows.Where(row => row != admitted).ShouldAllBe(row => row.FailureReason == RejectionReasons.AlreadyRunning && row.ExistingAuditId == admitted.CorrelationId);
    }

    [Fact]
    public async Task Should_hold_one_row_for_one_id_whoever_hears_it()
    {
        // A bus of its own for each, so that both hear the request at once.
        await using var pair = await StartApartAsync(typeof(OpenBudget));
        var request = Given.Request();
        await pair.SendAsync(Many(Rivals, _ => request));

        await pair.UntilAsync([request], AuditStates.Admitting);
        await pair.Others.UntilHeardAsync<OpenBudget>();
        (await pair.A.QueryAsync(db => db.AuditTransitions.CountAsync())).ShouldBe(1);
        pair.Others.All<OpenBudget>().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Should_give_an_id_to_one_content_and_refuse_every_other()
    {
        await using var pair = await StartAsync(typeof(OpenBudget));
        var id = Guid.NewGuid();
        await pair.SendAsync(Many(Rivals, i => Given.Request($"Brand{i}", id)));

        await pair.UntilRefusedAsync(Rivals - 1, RejectionReasons.AuditIdReused, id);
        var open = await pair.Others.UntilHeardAsync<OpenBudget>();
        pair.Others.All<OpenBudget>().Count.ShouldBe(1);
        var row = (await pair.UntilAsync([id], AuditStates.Admitting))[0];
        (row.BrandName, row.Attempt).ShouldBe((open.Request.Brand.Name, 1));
        (await pair.A.QueryAsync(db => db.LiveAudits.CountAsync())).ShouldBe(1);
    }

    [Fact]
    public async Task Should_never_let_a_tree_grow_beyond_its_size()
    {
        await using var pair = await StartAsync(typeof(OpenBudget), "AuditSaga:MaxTreeSize=4");
        var root = await pair.LeadAsync(Given.Request("Root"), AuditStates.Admitting);
        var children = Many(10, i => Given.Request($"Child{i}") with { ParentAuditId = root });
        await pair.SendAsync(children);

        await pair.UntilAsync(children, Decided);
        (await pair.A.QueryAsync(db => db.Audits.CountAsync(row => row.CurrentState == AuditStates.Admitting))).ShouldBe(4);
        (await pair.A.QueryAsync(db => db.Audits.CountAsync(row => row.FailureReason == RejectionReasons.LineageTooLarge))).ShouldBe(7);
        (await pair.A.QueryAsync(db => db.LineageTrees.SingleAsync())).Size.ShouldBe(4);
    }

    [Fact]
    public async Task Should_not_close_a_circle_from_both_ends()
    {
        await using var pair = await StartAsync(typeof(OpenBudget));
        // Two that were refused may be sent again: each now names the other as its parent.
        var one = Given.Request("One") with { Runs = 99 };
        var two = Given.Request("Two") with { Runs = 99 };
        await pair.SendAsync([one, two]);
        await pair.UntilAsync([one, two], AuditStates.Rejected);
        await pair.SendAsync([one with { Runs = 1, ParentAuditId = two.AuditId }, two with { Runs = 1, ParentAuditId = one.AuditId }]);

        await pair.UntilRefusedAsync(4, RejectionReasons.InvalidRequest, one.AuditId, two.AuditId);
        var rows = await pair.UntilAsync([one, two], AuditStates.Rejected);
        rows.ShouldAllBe(row => row.FailureReason == RejectionReasons.InvalidRequest && row.FailureDetail!.Contains("itself rejected"));

        // And a circle through a parent that is live: whoever is first, the same brand and kind never comes again below itself.
        var root = await pair.LeadAsync(Given.Request("Root"), AuditStates.Admitting);
        var child = await pair.LeadAsync(Given.Request("Child") with { ParentAuditId = root }, AuditStates.Admitting);
        var circles = Many(Rivals, i => Given.Request(i % 2 == 0 ? "Root" : "Child") with { ParentAuditId = child, Queries = [$"panel {i}"] });
        await pair.SendAsync(circles);
        (await pair.UntilAsync(circles, Decided)).ShouldAllBe(row => row.FailureReason == RejectionReasons.CircularLineage);
        (await pair.A.QueryAsync(db => db.LineageTrees.SingleAsync(tree => tree.TrackingId == root))).Size.ShouldBe(2);
    }

    [Fact]
    public async Task Should_admit_a_child_or_name_the_failed_ancestor_but_nothing_between()
    {
        await using var pair = await StartAsync(typeof(OpenBudget));
        var root = await pair.LeadAsync(Given.Request("Root"), AuditStates.Admitting);
        var children = Many(Rivals, i => Given.Request($"Child{i}") with { ParentAuditId = root });
        object failure = Given.Fault(new OpenBudget
        {
            AuditId = root, Attempt = 1, DeadlineAt = DateTime.UtcNow, Request = Given.Request("Root", root), CeilingMicroUsd = 1, TreeCeilingMicroUsd = 1, TreeCeilingDefaulted = true,
            TrackingId = root, AskInDoubtAgain = false,
        });
        await Task.WhenAll(pair.SendAsync(children.Take(Rivals / 2).ToArray()), pair.A.Bus.Publish(failure, typeof(MassTransit.Fault<OpenBudget>)), pair.SendAsync(children.Skip(Rivals / 2).ToArray()));

        await pair.UntilAsync([root], AuditStates.Failed);
        var rows = await pair.UntilAsync(children, Decided);
        rows.Where(row => row.CurrentState == AuditStates.Rejected).ShouldAllBe(row => row.FailureReason == RejectionReasons.AncestorFailed && row.ExistingAuditId == root);
        var admitted = rows.Count(row => row.CurrentState == AuditStates.Admitting);
        (await pair.A.QueryAsync(db => db.LineageTrees.SingleAsync())).Size.ShouldBe(1 + admitted);
        (await pair.A.QueryAsync(db => db.LiveAudits.CountAsync())).ShouldBe(admitted);

        // Once the failure is committed, nobody gets past it.
        var late = Many(Rivals, i => Given.Request($"Late{i}") with { ParentAuditId = root });
        await pair.SendAsync(late);
        (await pair.UntilAsync(late, Decided)).ShouldAllBe(row => row.FailureReason == RejectionReasons.AncestorFailed);
    }

    [Fact]
    public async Task Should_point_to_the_result_or_to_its_running_audit_while_it_completes()
    {
        await using var pair = await StartAsync(typeof(PublishReport));
        var first = await pair.LeadAsync(Given.Request(), AuditStates.Publishing);
        var rivals = Many(Rivals, _ => Given.Request());
        await Task.WhenAll(pair.SendAsync(rivals.Take(Rivals / 2).ToArray()), pair.SendAsync([Given.Published(first)]), pair.SendAsync(rivals.Skip(Rivals / 2).ToArray()));

        await pair.UntilAsync([first], AuditStates.Completed);
        foreach (var row in await pair.UntilAsync(rivals, AuditStates.Rejected, AuditStates.Publishing))
        {
            row.FailureReason.ShouldBeOneOf(RejectionReasons.AlreadyRunning, RejectionReasons.AlreadyCompleted);
            if (row.FailureReason == RejectionReasons.AlreadyCompleted)
                row.ExistingAuditId.ShouldBe(first);
        }

        (await pair.A.QueryAsync(db => db.Audits.CountAsync(row => row.AcceptedAt != null))).ShouldBe(1);
        (await pair.A.QueryAsync(db => db.LiveAudits.CountAsync())).ShouldBe(0);
    }

    [Fact]
    public async Task Should_let_force_through_as_often_as_a_day_allows()
    {
        await using var pair = await StartAsync(silent: null);
        RequestAudit Panel(int i) => Given.Request() with { Queries = [$"panel {i}"] };
        var complete = Many(Rivals, Panel);
        await pair.SendAsync(complete);
        await pair.UntilAsync(complete, AuditStates.Completed);

        // One brand and kind, but panels of their own: the guard row does not queue them.
        var forced = Many(Rivals, i => Panel(i) with { Force = true });
        await pair.SendAsync(forced);

        var rows = await pair.UntilAsync(forced, AuditStates.Completed, AuditStates.Rejected);
        rows.Count(row => row.CurrentState == AuditStates.Completed).ShouldBe(3);
        rows.Where(row => row.CurrentState == AuditStates.Rejected).ShouldAllBe(row => row.FailureReason == RejectionReasons.ForceLimit);
        (await pair.A.QueryAsync(db => db.ForcedAudits.SingleAsync())).Used.ShouldBe(3);
    }

    [Fact]
    public async Task Should_start_one_attempt_for_many_clicks_and_none_beyond_the_last()
    {
        await using var pair = await StartAsync(typeof(OpenBudget), "AuditSaga:MaxAttempts=2");
        var id = await pair.LeadAsync(Given.Request(), AuditStates.Admitting);
        await pair.A.SendAsync(Given.Cancel(id));
        await pair.UntilAsync([id], AuditStates.Cancelled);
        await pair.SendAsync(Many(Rivals, _ => Given.Retry(id)));
        await pair.A.UntilAsync(id, row => row is { CurrentState: AuditStates.Admitting, Attempt: 2 });

        await pair.A.SendAsync(Given.Cancel(id));
        await pair.A.UntilAsync(id, row => row is { CurrentState: AuditStates.Cancelled, Attempt: 2 });
        await pair.SendAsync(Many(Rivals, _ => Given.Retry(id, fromAttempt: 2)));

        // All of the last ones; of the first ones those that came after the cancellation may be refused as well, for another reason.
        await pair.UntilRefusedAsync(Rivals, RejectionReasons.AttemptsExhausted, id);
        var row = (await pair.UntilAsync([id], AuditStates.Cancelled))[0];
        row.Attempt.ShouldBe(2);
        pair.Others.All<OpenBudget>().Select(open => open.Attempt).Order().ShouldBe([1, 2]);
        (await pair.A.QueryAsync(db => db.LiveAudits.CountAsync())).ShouldBe(0);
    }

    [Fact]
    public async Task Should_give_the_brand_to_one_of_two_that_are_retried()
    {
        await using var pair = await StartAsync(typeof(OpenBudget));
        List<Guid> ended = [];
        for (var i = 0; i < Rivals; i++)
        {
            ended.Add(await pair.LeadAsync(Given.Request(), AuditStates.Admitting));
            await pair.A.SendAsync(Given.Cancel(ended[i]));
            await pair.UntilAsync([ended[i]], AuditStates.Cancelled);
        }

        await pair.SendAsync(Many(Rivals, i => Given.Retry(ended[i])));

        var refused = await pair.UntilRefusedAsync(Rivals - 1, RejectionReasons.AlreadyRunning, ended);
        var live = (await pair.A.QueryAsync(db => db.LiveAudits.AsNoTracking().SingleAsync())).AuditId;
        refused.ShouldAllBe(one => one.ExistingAuditId == live);
        (await pair.A.UntilAsync(live, row => row.CurrentState == AuditStates.Admitting)).Attempt.ShouldBe(2);
        (await pair.A.QueryAsync(db => db.Audits.CountAsync(row => row.Attempt == 2))).ShouldBe(1);
    }

    [Fact]
    public async Task Should_end_once_where_the_report_and_a_person_race()
    {
        await using var pair = await StartAsync(typeof(PublishReport));
        var audits = await Task.WhenAll(Many(Rivals, i => pair.LeadAsync(Given.Request($"Brand{i}"), AuditStates.Publishing)));
        await Task.WhenAll(audits.Select(id => Task.WhenAll(pair.SendAsync([Given.Published(id)]), pair.SendAsync([Given.Cancel(id)]))));

        var rows = await pair.UntilAsync(audits, AuditStates.Completed, AuditStates.Cancelled);
        foreach (var row in rows)
        {
            await pair.Others.UntilHeardAsync<CloseBudget>(close => close.AuditId == row.CorrelationId);
            (row.CompletedAt is not null).ShouldBe(row.CurrentState == AuditStates.Completed);
        }

        var terminal = await pair.A.QueryAsync(db => db.AuditTransitions.CountAsync(step => step.ToState == AuditStates.Completed || step.ToState == AuditStates.Cancelled));
        terminal.ShouldBe(Rivals);
        pair.Others.All<CloseBudget>().Count.ShouldBe(Rivals);
    }
}
