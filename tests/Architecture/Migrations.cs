using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Assay.Architecture;

public sealed class Migrations
{
    public static TheoryData<Type> Contexts => [.. new[]
        {
            typeof(AuditSaga.AuditSagaModule), typeof(LlmGateway.LlmGatewayModule), typeof(Analyzer.AnalyzerModule), typeof(Dashboard.DashboardModule),
        }.SelectMany(module => module.Assembly.GetTypes()).Where(type => type.IsSubclassOf(typeof(AssayDbContext)) && !type.IsAbstract && type.IsSealed)];

    [Theory]
    [MemberData(nameof(Contexts))]
    public async Task Should_hold_the_whole_model_of(Type context)
    {
        var options = (DbContextOptionsBuilder)Activator.CreateInstance(typeof(DbContextOptionsBuilder<>).MakeGenericType(context))!;
        if (context.Name.StartsWith("Sqlite", StringComparison.Ordinal))
            options.UseAssaySqlite("Data Source=:memory:");
        else
            options.UseAssayPostgres("Host=localhost");
        await using var database = (DbContext)Activator.CreateInstance(context, options.Options)!;

        database.Database.GetMigrations().ShouldNotBeEmpty();
        database.Database.HasPendingModelChanges().ShouldBeFalse($"Change the model, then ./build.sh --target=Migration --service={context.Assembly.GetName().Name!["Assay.".Length..]} --name=WhatItIsFor");
    }

    [Fact]
    public void Should_exist_for_both_databases_of_each_service() => Contexts.Count.ShouldBe(8);
}
