return await Assay.Embedded.Cli.AssayCli.RunAsync(args);
