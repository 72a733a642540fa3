using System.Net;
using System.Net.Http.Json;
using Assay.Contracts.Internal;
using Assay.Dashboard.Access;
using Assay.Dashboard.Database;
using Assay.Dashboard.Operations;
using Assay.Dashboard.Tests.Hosting;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Assay.Dashboard.Tests.Operations;

/// <summary>The Dashboard's own outbox stands for every service's; the other services are silent.</summary>
public sealed class WhenAnOutboxHoldsAParkedMessage(DashboardHost host) : IClassFixture<DashboardHost>
{
    [Fact]
    public async Task Should_list_it_and_release_it_with_a_reason_that_is_kept()
    {
        var messageId = Guid.NewGuid();
        await using (var scope = host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<DashboardDbContext>();
            db.Set<OutboxMessage>().Add(new OutboxMessage
            {
                MessageId = messageId, MessageType = "urn:message:Assay.Contracts:CancelAudit", ContentType = "application/json", Body = "{}", SentTime = DateTime.UtcNow,
                DestinationAddress = new Uri("loopback://localhost/nowhere"), Tries = 20, LastError = "The queue 'nowhere' does not exist.", ParkedAt = DateTime.UtcNow,
            });
            await db.SaveChangesAsync();
        }

        using var program = await host.ProgramAsync(Roles.Operator);
        var services = (await program.GetFromJsonAsync<ServiceState[]>(new Uri("/api/operations/services", UriKind.Relative), AssayJson.Options))!;
        services.Select(service => service.Service).ShouldBe(["AuditSaga", "LlmGateway", "Analyzer", "Dashboard"]);
        services.Single(service => service.Service == "AuditSaga").Silent.ShouldNotBeNull().ShouldContain("No answer");
        var own = services.Single(service => service.Service == "Dashboard").Health.ShouldNotBeNull();
        own.Parked.ShouldBe(1);
        own.Queues.ShouldContain("project-audit");
        own.Queues.ShouldContain("dashboard-operations");
        own.ParkedMessages.Single().LastError.ShouldBe("The queue 'nowhere' does not exist.");

        using var person = await host.PersonAsync();
        var page = await person.GetStringAsync(new Uri("/operations", UriKind.Relative));
        page.ShouldContain("does not exist.");
        page.ShouldContain($"/operations/services/Dashboard/release?messageId={messageId}");

        using var without = await program.PostAsJsonAsync(new Uri("/api/operations/services/Dashboard/release", UriKind.Relative), new ReleaseBody(messageId, ""));
        without.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        using var released = await program.PostAsJsonAsync(new Uri("/api/operations/services/Dashboard/release", UriKind.Relative), new ReleaseBody(messageId, "the queue is there now"));
        (await DashboardHost.ReadAsync<Released>(released)).ShouldBe(new Released("Dashboard", 1));
        await host.EventuallyAsync(db => db.Set<OutboxMessage>().AllAsync(row => row.ParkedAt == null), "it is not parked any more");
        await host.EventuallyAsync(db => db.OperatorActions.AnyAsync(a => a.Action == "release parked" && a.Reason == "the queue is there now" && a.Detail == $"Dashboard {messageId}"), "who, why and when are kept");

        using var unknown = await program.PostAsJsonAsync(new Uri("/api/operations/services/Nobody/release", UriKind.Relative), new ReleaseBody(null, "why not"));
        unknown.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }
}

public sealed class WhenAnOutboxHoldsAMessageThatCannotBeSentYet(DashboardHost host) : IClassFixture<DashboardHost>
{
    [Fact]
    public async Task Should_say_why()
    {
        var messageId = Guid.NewGuid();
        await using (var scope = host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<DashboardDbContext>();
            db.Set<OutboxMessage>().Add(new OutboxMessage
            {
                MessageId = messageId, MessageType = "urn:message:Assay.Contracts:CancelAudit", ContentType = "application/json", Body = "{}", SentTime = DateTime.UtcNow.AddMinutes(-2),
                DestinationAddress = new Uri("loopback://localhost/nowhere"), NextTryAt = DateTime.UtcNow.AddMinutes(5), Tries = 3, LastError = "The publish was refused: ACCESS_REFUSED.",
            });
            await db.SaveChangesAsync();
        }

        using var program = await host.ProgramAsync(Roles.Operator);
        var services = (await program.GetFromJsonAsync<ServiceState[]>(new Uri("/api/operations/services", UriKind.Relative), AssayJson.Options))!;
        var failing = services.Single(service => service.Service == "Dashboard").Health.ShouldNotBeNull().FailingMessages.Single();
        (failing.MessageId, failing.Tries, failing.LastError).ShouldBe((messageId, 3, "The publish was refused: ACCESS_REFUSED."));

        using var person = await host.PersonAsync();
        var page = await person.GetStringAsync(new Uri("/operations", UriKind.Relative));
        page.ShouldContain("behind");
        page.ShouldContain("could not be sent in 3 tries");
        page.ShouldContain("The publish was refused: ACCESS_REFUSED.");
    }
}
