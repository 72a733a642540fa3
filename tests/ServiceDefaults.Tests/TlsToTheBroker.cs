using Assay.TestServers;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Assay.ServiceDefaults.Tests;

/// <summary>A broker whose certificate was signed by an authority of our own, made by openssl: who trusts it connects, nobody else does.</summary>
[Trait("Needs", "Servers")]
public sealed class TlsToTheBroker : IAsyncLifetime
{
    static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);
    TestAuthority? authority;
    PrivateRabbitMq? broker;

    public async Task InitializeAsync()
    {
        authority = await TestAuthority.CreateAsync();
        broker = await PrivateRabbitMq.StartAsync(certificates: authority.Folder);
    }

    public async Task DisposeAsync()
    {
        if (broker is not null)
            await broker.DisposeAsync();
        authority?.Dispose();
    }

    [Fact]
    public async Task Should_connect_where_the_authority_is_trusted_and_nowhere_else()
    {
        using (var trusting = Host("127.0.0.1", authority!.Signer, out _))
        {
            using var limit = new CancellationTokenSource(Bound);
            await trusting.StartAsync(limit.Token);
            (await trusting.Services.GetRequiredService<IBusControl>().WaitForHealthStatus(BusHealthStatus.Healthy, Bound)).ShouldBe(BusHealthStatus.Healthy);
            // The management numbers lag.
            while (!(await broker!.GetAsync("api/connections")).EnumerateArray().Any(connection => connection.TryGetProperty("ssl", out var ssl) && ssl.GetBoolean()))
                await Task.Delay(100, limit.Token);
            await trusting.StopAsync(limit.Token);
        }

        // An authority that did not sign it; a name that is not in it; the system's authorities, which do not know ours.
        await RefusesAsync("127.0.0.1", authority!.Other);
        await RefusesAsync("localhost", authority!.Signer);
        await RefusesAsync("127.0.0.1", caFile: null);
    }

    [Fact]
    public void Should_name_the_setting_that_cannot_be_used()
    {
        Should.Throw<InvalidOperationException>(() => BrokerTls.CheckFor(new RabbitMqOptions { UseTls = true, CaFile = authority!.Other + ".missing" })).Message.ShouldContain("RabbitMq__CaFile");
        Should.Throw<InvalidOperationException>(() => BrokerTls.CheckFor(new RabbitMqOptions { UseTls = true, CaFile = authority!.NoCertificate })).Message.ShouldContain("holds no certificate");
        Should.Throw<InvalidOperationException>(() => BrokerTls.CheckFor(new RabbitMqOptions { CaFile = authority!.Signer })).Message.ShouldContain("RabbitMq__UseTls");
    }

    async Task RefusesAsync(string host, string? caFile)
    {
        using var refusing = Host(host, caFile, out var log);
        using var stop = new CancellationTokenSource(Bound);
        var started = refusing.StartAsync(stop.Token);
        while (!log.Contain("AuthenticationException"))
        {
            started.IsCompleted.ShouldBeFalse($"{host} with {caFile ?? "the system's authorities"} connected");
            await Task.Delay(50, stop.Token);
        }

        started.IsCompleted.ShouldBeFalse($"{host} with {caFile ?? "the system's authorities"} connected");
        await Should.ThrowAsync<BrokerUnavailableException>(() => refusing.Services.GetRequiredService<IFaultedMessages>().LookAsync(["weigh"], CancellationToken.None));
        await stop.CancelAsync();
        var ended = await Should.ThrowAsync<Exception>(() => started);
        (ended is OperationCanceledException or RabbitMqConnectionException).ShouldBeTrue(ended.ToString());
    }

    IHost Host(string host, string? caFile, out LogLines log) =>
        BrokerHost.Build(broker!, [], log = new LogLines(), null, ("Host", host), ("Port", $"{broker!.TlsPort}"), ("UseTls", "true"), ("CaFile", caFile));
}
